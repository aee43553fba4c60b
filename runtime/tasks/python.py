"""A Python task: `module.function`, its parameters by name, what it returns as parameters."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import AsyncGeneratorType, FunctionType, GeneratorType, TracebackType
from typing import Any, NamedTuple

from argosy.runtime import code_files
from argosy.runtime.errors import ArgosyError, NodeError, TaskError, writable
from argosy.runtime.node import Node
from argosy.runtime.step import Step, sequence
from argosy.runtime.suggestions import nearest

from .environment import ASSIGNED, COMPAT, changes

RUNTIME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VARARGS, KEYWORDS = 0x04, 0x08
"""Flags of a code object, as the language reference has them: `*args`, `**kwargs`."""
NOTHING: Any = object()
"""The result of a function that `sys.exit()` ended: not even None."""
NO_TERMINAL = (
    "a debugger was started, and a step has no terminal: call the function in a Python session of "
    "your own, or set PYTHONBREAKPOINT in the step's `env` (0 ignores breakpoints)"
)


class Argument(NamedTuple):
    """One of a function's arguments. `kind` is positional (only), named, or rest (`**`)."""

    name: str
    kind: str
    required: bool


def run(node: Node, step: Step, before: Mapping[str, str]) -> int:
    """Runs the task in this process, which is its own and started with the environment `before`.
    Gives its exit status."""
    sys.argv = [node.command]
    if step.context.magnus:
        sys.path.insert(1, COMPAT)
    sys.breakpointhook = stop_at_breakpoint
    modules = frozenset(sys.modules)
    try:
        function = import_function(node.command)
        step.note(code_files.imported(modules))
        positional, named = arguments(function, step)
        result = function(*positional, **named)
        if hasattr(result, "__await__"):
            result = awaited(result)
        step.note(code_files.imported(modules))  # what the function itself imported
        give(result, node, step, before)
    except SystemExit as leaving:
        return exited(leaving, node, step, before)
    except ArgosyError as error:
        return failed(error, step)
    except BaseException as error:
        show(error)
        debugger = type(error).__qualname__ == "BdbQuit"
        step.fail(NO_TERMINAL if debugger else summary(error), TaskError.exit_status)
        return TaskError.exit_status
    return 0


def stop_at_breakpoint(*arguments: Any, **named: Any) -> Any:
    """`breakpoint()` in a step, which only a debugger that needs no terminal can serve."""
    if os.environ.get("PYTHONBREAKPOINT"):
        return sys.__breakpointhook__(*arguments, **named)
    raise TaskError(NO_TERMINAL)


def failed(error: ArgosyError, step: Step) -> int:
    """What the runtime said no to: where in the user's code, and why."""
    if user_frames(error.__traceback__) is not None:
        show(error)
    step.fail(str(error), error.exit_status)
    return error.exit_status


def exited(leaving: SystemExit, node: Node, step: Step, before: Mapping[str, str]) -> int:
    """`sys.exit()`: 0 is a success, if what the step returns was set before."""
    if leaving.code is None or leaving.code == 0:
        try:
            give(NOTHING, node, step, before)
        except TaskError as error:
            return failed(error, step)
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF or 1
    print(leaving.code, file=sys.stderr)
    step.fail(writable(str(leaving.code)), TaskError.exit_status)
    return TaskError.exit_status


def import_function(command: str) -> Callable[..., Any]:
    """The function that `module.function` names; modules in the working folder come first."""
    here = os.getcwd()
    if not sys.path or sys.path[0] != here:
        sys.path.insert(0, here)
    name, _, attribute = command.strip().rpartition(".")
    if not name or not all(part.isidentifier() for part in (*name.split("."), attribute)):
        raise NodeError(f"command '{command}' is not of the form module.function")
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise NodeError(
                f"command '{command}': there is no module {error.name}, neither in {here} "
                "nor installed"
            ) from None
        raise
    function = getattr(module, attribute, None)
    if not callable(function):
        known = [n for n, value in vars(module).items() if callable(value) and n[0] != "_"]
        raise NodeError(
            f"command '{command}': {name} has no function '{attribute}'; "
            f"{nearest(attribute, known)}"
        )
    found: Callable[..., Any] = function
    return found


def arguments(function: Callable[..., Any], step: Step) -> tuple[list[Any], dict[str, Any]]:
    """What a function is called with. Raises TaskError for a parameter that is not there, or is
    not what the annotation asks for."""
    positional: list[Any] = []
    named: dict[str, Any] = {}
    hints: Mapping[str, Any] | None = None
    expected = arguments_of(function)
    for argument in expected:
        if argument.kind == "rest":
            continue
        if not step.has(argument.name):
            if argument.required:
                raise missing(function, argument.name, step)
            if argument.kind == "positional":
                break  # the rest of them have defaults too
            continue
        if hints is None:
            hints = annotated(function)
        value = converted(argument.name, hints, step, function)
        if argument.kind == "positional":
            positional.append(value)
        else:
            named[argument.name] = value
    if any(argument.kind == "rest" for argument in expected):
        taken = {argument.name for argument in expected}
        rest = [name for name in step.names() if name not in taken and not step.is_object(name)]
        named.update((name, step.parameter(name)) for name in rest)
    return positional, named


def arguments_of(function: Callable[..., Any]) -> list[Argument]:
    if type(function) is not FunctionType or hasattr(function, "__wrapped__"):
        return inspected(function)
    code = function.__code__
    last = code.co_argcount + code.co_kwonlyargcount
    defaults = len(function.__defaults__ or ())
    found = []
    for place, name in enumerate(code.co_varnames[:last]):
        kind = "positional" if place < code.co_posonlyargcount else "named"
        if place < code.co_argcount:
            required = place < code.co_argcount - defaults
        else:
            required = name not in (function.__kwdefaults__ or {})
        found.append(Argument(name, kind, required))
    if code.co_flags & KEYWORDS:
        found.append(
            Argument(code.co_varnames[last + bool(code.co_flags & VARARGS)], "rest", False)
        )
    return found


def inspected(function: Callable[..., Any]) -> list[Argument]:
    """The same for whatever else can be called."""
    import inspect  # 12 ms, and a plain function is simpler

    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []  # written in C, without a signature
    kinds = {0: "positional", 1: "named", 3: "named", 4: "rest"}
    return [
        Argument(one.name, kinds[one.kind], one.default is one.empty)
        for one in parameters
        if one.kind in kinds
    ]


def annotated(function: Callable[..., Any]) -> Mapping[str, Any]:
    target = getattr(function, "func", function)  # of a partial
    if not isinstance(target, (FunctionType, type)) and not hasattr(target, "__annotations__"):
        target = type(target).__call__
    if isinstance(target, type):
        target = vars(target).get("__init__", target)
    if not annotations_of(target):
        return {}
    from .convert import hints_of

    return hints_of(target)


def annotations_of(owner: Any) -> Mapping[str, Any]:
    """The annotations as they stand, or are evaluated (from Python 3.14 on: when they are asked
    for); those with a name that is imported for type checkers only are left out then."""
    try:
        return getattr(owner, "__annotations__", None) or {}
    except NameError:
        library: Any = import_module("annotationlib")
        found = library.get_annotations(owner, format=library.Format.FORWARDREF)
        unknown = library.ForwardRef
        return {name: one for name, one in found.items() if not isinstance(one, unknown)}


def converted(name: str, hints: Mapping[str, Any], step: Step, function: Callable[..., Any]) -> Any:
    if step.is_object(name):
        return step.object(name)
    value = step.parameter(name)
    if name not in hints:
        return value
    from .convert import convert

    try:
        return convert(value, hints[name])
    except (ValueError, TypeError) as error:
        raise TaskError(f"parameter '{name}' of {label(function)} {error}") from error


def missing(function: Callable[..., Any], name: str, step: Step) -> TaskError:
    return TaskError(
        f"{label(function)} asks for parameter '{name}', which is not there and has no default; "
        f"{nearest(name, step.names())}"
    )


def label(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__qualname__', type(function).__qualname__)}()"


def awaited(coroutine: Any) -> Any:
    import asyncio

    async def main() -> Any:
        return await coroutine

    return asyncio.run(main())


def give(result: Any, node: Node, step: Step, before: Mapping[str, str]) -> None:
    """Set what the function returned, and what it left in the environment as a script would."""
    written = changes(before, dict(os.environ), ASSIGNED)

    def known(name: str) -> bool:
        return name in written.parameters or step.has_set(name)

    values = returned(result, node.returns, node.command, known)
    for name, value in {**written.parameters, **values}.items():
        step.set(name, value)
    for name, value in written.tracked.items():
        step.track(name, value, None)


def returned(
    result: Any, names: Sequence[str], command: str, known: Callable[[str], bool]
) -> dict[str, Any]:
    """The parameters that a function returned: those in `names`, or all of them without `names`.

    A dict, dataclass, model or named tuple is read by name, a tuple in the order of several names;
    anything else is the value of the only name. A name that is `known` has a value already and may
    be left out. Raises TaskError for any other without a value.
    """
    if isinstance(result, (GeneratorType, AsyncGeneratorType)):
        raise TaskError(f"{command} is a generator, and nothing runs it: return, not yield")
    if result is NOTHING:
        return {}
    fields = fields_of(result, names)
    if not names:
        if result is None or (fields is not None and all(isinstance(name, str) for name in fields)):
            return fields or {}
        print(
            f"argosy: {command} returned {kind_of(result)}; its `returns` names no parameter "
            "for it",
            file=sys.stderr,
        )
        return {}
    if fields is not None:
        return by_name(result, fields, names, command, known)
    if result is None and all(map(known, names)):
        return {}
    if len(names) == 1:
        return {names[0]: result}
    if isinstance(result, tuple) and len(names) == len(result):
        return dict(zip(names, result, strict=True))
    raise TaskError(
        f"{command} returned {kind_of(result)}; its `returns` names {sequence(names)}: "
        "return a dict of these, or a tuple in this order"
    )


def by_name(
    result: Any,
    fields: Mapping[Any, Any],
    names: Sequence[str],
    command: str,
    known: Callable[[str], bool],
) -> dict[str, Any]:
    missing = [name for name in names if name not in fields and not known(name)]
    if missing:
        has = f" with the keys {sequence([*map(str, fields)][:10])}" if fields else " that is empty"
        raise TaskError(
            f"{command} did not return {sequence(missing)}, which its `returns` names: it returned "
            f'{kind_of(result)}{has}; return {{"{missing[0]}": ...}}'
        )
    return {name: fields[name] for name in names if name in fields}


def fields_of(result: Any, wanted: Sequence[str]) -> dict[str, Any] | None:
    """The values of what has names for them."""
    if isinstance(result, dict):
        return result
    names = getattr(type(result), "__dataclass_fields__", None)
    if names is None and hasattr(type(result), "model_fields"):
        return fields_of_model(result, wanted)
    if names is None and isinstance(result, tuple):
        names = getattr(result, "_fields", None)
    return None if names is None else {name: getattr(result, name) for name in names}


def fields_of_model(model: Any, wanted: Sequence[str]) -> dict[str, Any]:
    """The values of a pydantic model by their aliases, which it is read by again, but those that
    are `wanted` by their own names."""
    found = {}
    for name, field in type(model).model_fields.items():
        alias = name if name in wanted else field.serialization_alias or field.alias or name
        found[alias] = getattr(model, name)
    return {**found, **(model.model_extra or {})}


def kind_of(result: Any) -> str:
    if result is None:
        return "nothing"
    size = f" of {len(result)}" if isinstance(result, (tuple, list)) else ""
    name = type(result).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}{size}"


def summary(error: BaseException) -> str:
    """The last line of a traceback, in text that can be written."""
    name = type(error).__qualname__
    try:
        text = str(error).strip()
    except Exception as second:  # the user's own class can fail here too
        text = f"its text cannot be read: {type(second).__qualname__}"
    return writable(f"{name}: {text}" if text else name)


def show(error: BaseException) -> None:
    """Prints the traceback, from the first line of the user's own code."""
    import traceback

    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        one.__traceback__ = user_frames(one.__traceback__)
        one = one.__cause__ or one.__context__
    traceback.print_exception(type(error), error, error.__traceback__)


def user_frames(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames at its beginning that are the runtime's or an import's."""
    while trace is not None and is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def is_ours(file: str) -> bool:
    imports = file.startswith("<frozen importlib") or file == import_module.__code__.co_filename
    return imports or os.path.abspath(file).startswith(RUNTIME + os.sep)
