"""`type: task`: what runs in a process of its own, and what it asks for."""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath

from .. import source
from ..graph import Retry, Spec, Task
from ..magnus import OUTPUT_TAG
from ..trampoline import Steps
from .fields import FACTORS, IMAGE, IMAGE_FORM, Fields, Nested

LAMBDA = "python-lambda"
COMMAND_TYPES = "python", "shell", "notebook", "container"
RELATIVE = "it is relative to the step's working directory"
_FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
_ENVIRONMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parse_task(fields: Fields, nested: Nested) -> Steps[Spec | None]:
    """`type: task`."""
    yield from ()
    if fields.mapping.get("command_type") == LAMBDA:
        fields.has("command_type")
        _refuse_lambda(fields)
        return None
    kind = fields.choice("command_type", COMMAND_TYPES, "python")
    path, tag = _notebook(fields) if kind == "notebook" else ("", "")
    fields.accept("command_config")
    if kind != "notebook" and fields.mapping.get("command_config"):
        fields.problem("command_config holds nothing here", fields.mapping.at_key("command_config"))
    if kind == "container":
        command, image, argv = _container(fields)
    else:
        command, image, argv = _command(fields, kind), "", ()
    get, put, own_folder = _catalog(fields)
    return Task(
        command=command,
        command_type=kind,
        returns=fields.texts("returns"),
        get=get,
        put=put,
        secrets=_secrets(fields),
        env=_environment(fields),
        retry=_retry(fields),
        timeout=fields.seconds("timeout"),
        image=image,
        argv=argv,
        notebook_output_path=path,
        output_cell_tag=tag,
        own_folder=own_folder,
    )


def _refuse_lambda(fields: Fields) -> None:
    """Shows how a command of type `python-lambda`, which Magnus once had, is written as a
    function."""
    import ast

    try:
        tree = ast.parse(fields.text("command", literal=True).strip(), mode="eval").body
        arguments, body = (
            (ast.unparse(tree.args), ast.unparse(tree.body))
            if isinstance(tree, ast.Lambda)
            else ("x", "...")
        )
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        arguments, body = "x", "..."
    for key in fields.mapping:
        fields.accept(key)
    fields.problem(
        f"{fields.what} is a lambda, which has no counterpart here",
        fields.mapping.at("command_type"),
        f"write a function, such as `def compute({arguments}): return {body}` in steps.py, and "
        "name it: command: steps.compute, without command_type",
    )


def _command(fields: Fields, kind: str) -> str:
    """`command` of all others."""
    if not fields.require("command", "what the task runs"):
        return ""
    command = fields.text("command", literal=True)
    if not command.strip() and isinstance(fields.mapping["command"], str):
        hint = "`type: stub` is a step that does nothing"
        fields.problem("command is empty", fields.mapping.at("command"), hint)
    elif kind == "python" and command and not _FUNCTION.fullmatch(command.removesuffix("()")):
        hint = "or is it a command_type: shell?"
        where = fields.mapping.at("command")
        fields.problem(f"'{command[:60]}' is not module.function", where, hint)
    elif kind == "notebook" and command and not command.endswith(".ipynb"):
        where = fields.mapping.at("command")
        fields.problem(f"'{command[:60]}' is no path of a notebook", where, "one ends in .ipynb")
    return command.removesuffix("()") if kind == "python" else command


def _notebook(fields: Fields) -> tuple[str, str]:
    """`notebook_output_path` and `output_cell_tag`, the step's own or, as Magnus has them, in its
    `command_config`. `optional_ploomber_args` are for what Magnus runs notebooks with."""
    found = fields
    if fields.mapping.get("command_config") is not None:
        found = fields.fields("command_config") or fields
    found.accept("optional_ploomber_args")
    path = found.text("notebook_output_path")
    # What is literal is Magnus's, where a notebook's output has a tag unless another is named.
    tag = found.text("output_cell_tag", OUTPUT_TAG if fields.literal else "")
    if path.startswith("/") or ".." in path.split("/"):
        where = found.mapping.at("notebook_output_path")
        found.problem(f"'{path}' is outside the working directory", where, RELATIVE)
    if found is not fields:
        found.close()
    return path, tag


def _container(fields: Fields) -> tuple[str, str, tuple[str, ...]]:
    """`image`, `command` and `args` of a container: the command as people read it, the image, and
    the words that the process is started with. No shell reads them."""
    fields.require("image", "the image that runs; nothing of Argosy is in it")
    image = fields.text("image")
    if image and not IMAGE.fullmatch(image):
        fields.problem(f"image cannot be '{image}'", fields.mapping.at("image"), IMAGE_FORM)
    if not fields.has("command"):
        hint = "`docker inspect -f '{{.Config.Entrypoint}} {{.Config.Cmd}}' IMAGE` shows its own"
        fields.problem(f"{fields.what} needs 'command': what runs in the image", hint=hint)
    command = _words(fields)
    if command == ():
        fields.problem("command is empty", fields.mapping.at("command"))
    argv = (*(command or ()), *fields.words("args"))
    return shlex.join(argv), image, argv


def _words(fields: Fields) -> tuple[str, ...] | None:
    """`command` of a container, a list or a text that is split as a shell would; None where it is
    not there, or is no such thing."""
    if not fields.has("command"):
        return None
    if isinstance(fields.mapping["command"], source.Sequence):
        return fields.words("command")
    try:
        return tuple(shlex.split(fields.text("command", literal=True)))
    except ValueError as error:
        message = f"command is no list of words: {error}"
        fields.problem(message, fields.mapping.at("command"), "write a list: [a, b]")
        return None


def _environment(fields: Fields) -> dict[str, str]:
    """`env`: names to texts."""
    env = fields.text_mapping("env")
    for name in env:
        if not name or "=" in name or "\0" in name:
            fields.problem(f"'{name}' cannot name a variable of the environment")
    return env


def _catalog(fields: Fields) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """`catalog: {get, put}`, and whether it names a folder: Magnus' compute_data_folder goes before
    each pattern."""
    catalog = fields.fields("catalog")
    if catalog is None:
        return (), (), False
    catalog.accept("compute_data_folder")
    folder = _folder(catalog)
    get, put = catalog.texts("get"), catalog.texts("put")
    catalog.close()
    for key, patterns in (("get", get), ("put", put)):
        for index, pattern in enumerate(patterns):
            if pattern.startswith("/") or ".." in pattern.split("/"):
                message = f"'{pattern}' is outside the working directory"
                given = catalog.mapping[key]
                one = isinstance(given, source.Sequence)
                mark = given.at(index) if one else catalog.mapping.at(key)
                catalog.problem(message, mark, RELATIVE)
    return in_folder(folder, get), in_folder(folder, put), bool(folder)


def _folder(catalog: Fields) -> str:
    """Magnus' `compute_data_folder`."""
    if "compute_data_folder" not in catalog.mapping:
        return ""
    folder = catalog.text("compute_data_folder")
    if folder.startswith("/") or ".." in folder.split("/"):
        mark = catalog.mapping.at("compute_data_folder")
        catalog.problem(f"'{folder}' is outside the working directory", mark, RELATIVE)
    return folder


def in_folder(folder: str, patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Patterns that are relative to a folder of the working folder, as relative to that."""
    within = PurePosixPath(folder or ".")
    return tuple(str(within / pattern) for pattern in patterns)


def _secrets(fields: Fields) -> dict[str, str | None]:
    """`secrets: [NAME]`, or {NAME: the environment variable that shows it}."""
    if not isinstance(fields.mapping.get("secrets"), source.Mapping):
        return dict.fromkeys(fields.texts("secrets"))
    mapping = fields.submapping("secrets") or source.Mapping(fields.mapping.source, None)
    inner = Fields(mapping, "secrets", fields.context, fields.literal)
    found: dict[str, str | None] = {}
    for name in mapping:
        variable = inner.text(name) or None
        if variable and not _ENVIRONMENT.fullmatch(variable):
            inner.problem(f"'{variable}' cannot name an environment variable", mapping.at(name))
        found[name] = variable
    return found


def _retry(fields: Fields) -> Retry | None:
    """`retry: 3`, or {max_attempts, backoff, factor, max_backoff}; Magnus has `max_attempts: 3`."""
    if not isinstance(fields.mapping.get("retry"), source.Mapping):
        attempts = fields.integer("retry", None)
        return Retry(max_attempts=attempts) if attempts else None
    retry = fields.fields("retry")
    if retry is None:
        return None
    most = retry.seconds("max_backoff", least=0)
    found = Retry(
        max_attempts=retry.integer("max_attempts", 1) or 1,
        backoff=retry.seconds("backoff", least=0) or 0.0,
        factor=retry.number("factor", 2.0, *FACTORS),
        max_backoff=300.0 if most is None else most,
    )
    retry.close()
    return found
