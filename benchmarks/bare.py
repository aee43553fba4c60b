"""The least that any renderer does: parse the YAML with libyaml, render one Jinja template.

Usage: bare.py DEFINITION LENGTH, where LENGTH is the number of characters that are to be written.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from jinja2 import Environment, StrictUndefined

TEMPLATE = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: [[ name | tojson ]]}
spec:
  tasks:
[%- for name, step in steps %]
  - {name: [[ name | tojson ]], type: [[ step.type | tojson ]], filler: [[ filler | tojson ]]}
[%- endfor %]
"""


def main(definition: str, length: int) -> None:
    document = yaml.load(Path(definition).read_bytes(), Loader=yaml.CSafeLoader)
    steps = list(document["dag"]["steps"].items())
    environment = Environment(  # noqa: S701 - this is YAML, not HTML
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        undefined=StrictUndefined,
    )
    filler = "x" * (length // len(steps))
    template = environment.from_string(TEMPLATE)
    text = template.render(name=document["name"], steps=steps, filler=filler)
    sys.stdout.write(text[:length])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
