"""`render`: manifests as text. Jinja templates hold their shape; every value is written as JSON.

The delimiters leave the engine's `{{ }}` alone: `<< value >>`, `<% for ... %>`, `<# comment #>`. A
folder given with `--templates` comes before ours, which are also under `argosy/`: an own
`argo/workflowtemplate.yaml.j2` can extend `argosy/argo/workflowtemplate.yaml.j2`, block by block,
and keep what is in one with `<< super() | safe >>`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from argosy import templates
from argosy.runtime.suggestions import nearest

from . import emit
from .errors import ManifestError, Problem

if TYPE_CHECKING:
    from jinja2 import Environment

    from .compilation import Compilation

_UNPRINTABLE = "[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(", ", ":")).encode
_decode = json.JSONDecoder().raw_decode


def render(compilation: Compilation) -> Compilation:
    """The compilation with `files`, by name. Raises ManifestError where a template is wrong."""
    environment = _environment(compilation.request.templates)
    _require_override(compilation.request.templates)
    mark = emit.mark(compilation.pipeline.name, compilation.request.environment)
    files = {}
    for manifest in compilation.manifests:
        name = f"{compilation.settings.executor.type}/{manifest.template}.yaml.j2"
        try:
            text = environment.get_template(name).render(manifest.data)
        except Exception as error:  # a team's own template can raise anything
            raise ManifestError([_problem(name, error)]) from error
        files[manifest.file] = f"{mark}\n{text}"
    return compilation._replace(files=files)


def as_yaml(value: Any) -> str:
    """`value` as JSON that every YAML reader takes for the same value.

    JSON's own escape for what is not ASCII would not do: YAML takes half a surrogate pair for an
    error. What YAML cannot print is escaped. Text with quotes in it, such as a node's JSON, stands
    in single ones, where it can be read.

    >>> print(as_yaml({"node": '{"step":"a"}', "it's": "so"}))
    {"node":'{"step":"a"}', "it's":"so"}
    """
    if hasattr(value, "__html__"):  # `safe`: a template's own text
        return str(value)
    text = as_json(value)
    return _readable(text) if '\\"' in text else text


def as_json(value: Any) -> str:
    """`value` as JSON that every YAML reader takes for the same value too.

    >>> print(as_json({"a": "\U0001f389\x7f"}))
    {"a":"\U0001f389\\u007f"}
    """
    text = _encode(value)
    if not text.isascii() or "\x7f" in text:
        text = re.sub(_UNPRINTABLE, lambda match: f"\\u{ord(match[0]):04x}", text)
    return text


def _readable(text: str) -> str:
    """JSON with its strings that have quotes in them in single ones, where they can be: where they
    have no escape but of quotes and backslashes."""
    parts, done = [], 0
    while (escape := text.find("\\", done)) >= 0:
        begin = text.rindex('"', done, escape)  # it opens the string: a quote inside has an escape
        value, end = _decode(text, begin)
        quotes = value.count('"')
        parts.append(text[done:begin])
        if quotes and end - begin == len(value) + quotes + value.count("\\") + len('""'):
            parts.append("'" + value.replace("'", "''") + "'")
        else:
            parts.append(text[begin:end])
        done = end
    return "".join([*parts, text[done:]])


def _environment(folder: str | None) -> Environment:
    from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

    ours = FileSystemLoader(list(templates.__path__))
    own = [FileSystemLoader(folder)] if folder else []
    environment = Environment(
        loader=ChoiceLoader([*own, ours, PrefixLoader({"argosy": ours})]),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=as_yaml,
        autoescape=False,  # noqa: S701 (YAML; `finalize` is what makes values safe)
        auto_reload=False,
    )
    environment.globals.clear()  # `namespace` is a field here
    return environment


def _require_override(folder: str | None) -> None:
    """Raises ManifestError where a folder of templates takes the place of none of ours."""
    from jinja2 import FileSystemLoader

    if folder:
        ours = FileSystemLoader(list(templates.__path__)).list_templates()
        known = [name for name in ours if name.endswith(".j2")]
        own = FileSystemLoader(folder).list_templates()
        if not set(known) & set(own):
            message = f"{folder} overrides none of the templates"
            raise ManifestError([Problem(message, hint=nearest([*own, folder][0], known))])


def _problem(name: str, error: Exception) -> Problem:
    """A fault in a template, at its line where Jinja knows it."""
    line = getattr(error, "lineno", None)
    where = f"{getattr(error, 'name', None) or name}{f', line {line}' if line else ''}"
    reason = f"{type(error).__name__}: {error}"
    return Problem(f"the Jinja template {where}: {reason}", hint="templates/argo/ has ours")
