"""Pipelines of any size, as people write them."""

from __future__ import annotations

CONFIGURATION = """\
executor:
  type: argo
  config:
    image: registry.example/churn:1.4
    resources: {limits: {cpu: 500m, memory: 512Mi}}
    claims: {runs: /runs}
run_log_store: {type: file-system, config: {location: /runs/log}}
catalog: {type: file-system, config: {location: /runs/data}}
"""

GROUP = """\
    extract-{n}:
      type: task
      command: churn.extract.table
      returns: [rows]
      catalog: {{put: ["data/{n}/*.csv"]}}
{after}\
    clean-{n}:
      type: task
      command_type: shell
      command: ./clean.sh data/{n}
      env: {{LEVEL: "{n}"}}
      depends_on: [extract-{n}]
    check-{n}:
      type: task
      command: churn.checks.schema
      retry: {{max_attempts: 3}}
      depends_on: [extract-{n}]
    features-{n}:
      type: parallel
      depends_on: [clean-{n}, check-{n}]
      branches:
        numbers: {{steps: {{build: {{type: task, command: churn.features.numbers}}}}}}
        words: {{steps: {{build: {{type: task, command: churn.features.words}}}}}}
    tune-{n}:
      type: map
      iterate_on: regions
      iterate_as: region
      depends_on: [check-{n}]
      branch:
        steps:
          fit: {{type: task, command: churn.model.fit, returns: [score], timeout: 10m}}
    train-{n}:
      type: task
      command: churn.model.train
      depends_on: [features-{n}, tune-{n}]
      on_failure: explain-{n}
      overrides: {{argo: {{resources: {{limits: {{memory: 4Gi}}}}}}}}
    explain-{n}:
      type: task
      command: churn.model.explain
"""
"""Ten steps of the kinds that a pipeline is made of, as `argosy check` counts them."""

STEPS_IN_GROUP = 10


def mixed(steps: int) -> str:
    """A definition of `steps` steps, in groups that follow each other."""
    groups = []
    for n in range(steps // STEPS_IN_GROUP):
        after = f"      depends_on: [train-{n - 1}]\n" if n else ""
        groups.append(GROUP.format(n=n, after=after))
    head = "name: mixed\nparameters: {regions: [eu, us], rate: 0.1}\ndag:\n  steps:\n"
    return head + "".join(groups)


def chain(steps: int) -> str:
    """A definition of `steps` steps that do nothing, one after the other."""
    lines = ["name: chain", "dag:", "  start_at: s0", "  steps:"]
    for n in range(steps):
        after = f"s{n + 1}" if n + 1 < steps else "success"
        lines.append(f"    s{n}: {{type: task, command: nothing.at_all, next: {after}}}")
    return "\n".join([*lines, "    success: {type: success}", "    fail: {type: fail}", ""])


NOTHING = "def at_all() -> None: ...\n"
"""The module of those steps."""


RUNNABLE = """\
import sys
from runnable import Pipeline, PythonTask
from nothing import at_all

def main():
    steps = [PythonTask(name=f"s{n}", function=at_all) for n in range(int(sys.argv[1]))]
    pipeline = Pipeline(steps=steps)
    pipeline.execute(configuration_file="theirs.yaml")
    return pipeline

if __name__ == "__main__":
    main()
"""
"""The same chain, as `runnable` has it."""

RUNNABLE_CONFIGURATION = """\
pipeline-executor: {type: local}
run-log-store: {type: file-system, config: {log_folder: log}}
catalog: {type: do-nothing}
secrets: {type: do-nothing}
"""
