"""A parameter's JSON value as what a function's annotation asks for.

Strict where a value would change its meaning, helpful where it only changes its form: the text `3`
may be an int, since arguments arrive as text; the number 1.10 is no str, since it reads `1.1`.
"""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from argosy.runtime.values import brief

from .python import annotations_of

ABSTRACT = ("Sequence", "MutableSequence", "Iterable", "Collection", "Iterator")
ABSTRACT_MAPPINGS = ("Mapping", "MutableMapping")


class CannotConvertError(ValueError):
    """The message says what the value is and what it should be."""

    def __init__(self, value: Any, wanted: Any) -> None:
        super().__init__(f"is {brief(value)}, which is no {name_of(wanted)}")


def convert(value: Any, wanted: Any) -> Any:
    """`value` as `wanted`. Raises CannotConvertError, or what the wanted class raises.

    >>> convert(["1", 2], list[int]), convert("true", bool), convert(None, int | None)
    ([1, 2], True, None)
    """
    if wanted in (Any, object) or isinstance(wanted, typing.TypeVar):
        return value
    if wanted is None or wanted is type(None):
        return only(value, value is None, wanted)
    origin = typing.get_origin(wanted)
    if origin is typing.Annotated:
        return convert(value, wanted.__origin__)
    if origin in (typing.Union, types.UnionType):
        return one_of(value, typing.get_args(wanted), wanted)
    if origin is typing.Literal:
        return literal(value, wanted)
    kind = origin or wanted
    if kind in SCALARS:
        return SCALARS[kind](value, wanted)
    if not isinstance(kind, type):
        return value
    return of_class(value, kind, wanted)


def of_class(value: Any, kind: type[Any], wanted: Any) -> Any:
    arguments = typing.get_args(wanted)
    if kind in (list, set, frozenset) or kind.__name__ in ABSTRACT:
        items = only(value, isinstance(value, list), wanted)
        made = [convert(item, arguments[0]) for item in items] if arguments else items
        return kind(made) if kind in (list, set, frozenset) else made
    if kind is tuple:
        return a_tuple(value, arguments, wanted)
    if kind is dict or kind.__name__ in ABSTRACT_MAPPINGS:
        only(value, isinstance(value, dict), wanted)
        if not arguments:
            return value
        key, item = arguments
        return {convert(k, key): convert(v, item) for k, v in value.items()}
    for has, make in CLASSES:
        if hasattr(kind, has):
            return make(value, kind)
    if isinstance(value, kind):
        return value
    raise CannotConvertError(value, wanted)


def only(value: Any, right: bool, wanted: Any) -> Any:
    if not right:
        raise CannotConvertError(value, wanted)
    return value


def an_int(value: Any, wanted: Any) -> int:
    if isinstance(value, str):
        text = value.strip()
        if text.lstrip("+-").isdigit() and text.isascii():
            return int(text)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return typing.cast(int, only(value, type(value) is int, wanted))


def a_float(value: Any, wanted: Any) -> float:
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            raise CannotConvertError(value, wanted) from None
        only(value, number - number == 0, wanted)  # neither NaN nor infinity
        return number
    return float(only(value, type(value) in (int, float), wanted))


def a_bool(value: Any, wanted: Any) -> bool:
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.strip().lower(), value)
    return typing.cast(bool, only(value, isinstance(value, bool), wanted))


def a_str(value: Any, wanted: Any) -> str:
    return typing.cast(str, only(value, isinstance(value, str), wanted))


SCALARS: Mapping[Any, Callable[[Any, Any], Any]] = {
    int: an_int,
    float: a_float,
    bool: a_bool,
    str: a_str,
}


def a_tuple(value: Any, arguments: tuple[Any, ...], wanted: Any) -> tuple[Any, ...]:
    only(value, isinstance(value, list), wanted)
    if not arguments:
        return tuple(value)
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(convert(item, arguments[0]) for item in value)
    only(value, len(value) == len(arguments), wanted)
    return tuple(map(convert, value, arguments))


def one_of(value: Any, kinds: tuple[Any, ...], wanted: Any) -> Any:
    """The first of a union that the value is, or else the first that it can be made to be."""
    for kind in kinds:
        if kind is type(None) and value is None:
            return None
        if SCALARS.get(kind) and type(value) is kind:
            return value
    reasons = []
    for kind in kinds:
        try:
            return convert(value, kind)
        except (ValueError, TypeError) as error:
            reasons.append(str(error))
    if len(kinds) == 2 and type(None) in kinds:
        raise ValueError(reasons[kinds[0] is type(None)])
    raise CannotConvertError(value, wanted)


def literal(value: Any, wanted: Any) -> Any:
    for choice in typing.get_args(wanted):
        if type(choice) is type(value) and choice == value:
            return choice
    raise CannotConvertError(value, wanted)


def a_dataclass(value: Any, kind: type[Any]) -> Any:
    import dataclasses

    only(value, isinstance(value, dict), kind)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    return by_fields(value, kind, fields, lambda made: kind(**made))


def a_named_tuple(value: Any, kind: type[Any]) -> Any:
    names = getattr(kind, "_fields", ())
    if isinstance(value, list):
        only(value, len(value) <= len(names), kind)
        value = dict(zip(names, value, strict=False))
    only(value, isinstance(value, dict), kind)
    return by_fields(value, kind, names, lambda made: kind(**made))


def by_fields(value: dict[str, Any], kind: type[Any], names: Any, make: Any) -> Any:
    unknown = [name for name in value if name not in names]
    if unknown:
        raise ValueError(
            f"is {brief(value)}; {name_of(kind)} has no field '{unknown[0]}', "
            f"it has: {', '.join(names)}"
        )
    hints = hints_of(kind)
    made = {}
    for name, item in value.items():
        try:
            made[name] = convert(item, hints.get(name, Any))
        except (ValueError, TypeError) as error:
            raise ValueError(f"has a field '{name}' that {error}") from error
    try:
        return make(made)
    except TypeError as error:
        raise ValueError(f"is {brief(value)}, and {error}") from error


def a_model(value: Any, kind: Any) -> Any:
    if isinstance(value, kind):
        return value
    try:
        return kind.model_validate(value)
    except ValueError as error:
        raise ValueError(f"is {brief(value)}, and {error}") from error


def an_enum(value: Any, kind: Any) -> Any:
    try:
        return kind(value)
    except ValueError:
        if isinstance(value, str) and value in kind.__members__:
            return kind[value]
        choices = [member.value for member in kind]
        raise ValueError(f"is {brief(value)}, which is none of {brief(choices)}") from None


def a_date(value: Any, kind: Any) -> Any:
    only(value, isinstance(value, str), kind)
    text = f"{value[:-1]}+00:00" if value.endswith("Z") else value
    return kind.fromisoformat(text)


def a_path(value: Any, kind: Any) -> Any:
    return kind(only(value, isinstance(value, str), kind))


CLASSES: tuple[tuple[str, Callable[[Any, Any], Any]], ...] = (
    ("model_validate", a_model),
    ("__dataclass_fields__", a_dataclass),
    ("__members__", an_enum),
    ("_fields", a_named_tuple),
    ("fromisoformat", a_date),
    ("__fspath__", a_path),
)
"""How a class is made, by what it has."""


def hints_of(owner: Any) -> dict[str, Any]:
    """The annotations of a function or class, evaluated; one that cannot be is left out."""
    try:
        return typing.get_type_hints(owner)
    except Exception:  # a name that is imported for type checkers only, or anything else
        namespace = getattr(owner, "__globals__", None)
        if namespace is None:
            namespace = vars(sys.modules.get(owner.__module__, types))
        return evaluated(annotations_of(owner), namespace)


def evaluated(annotations: Mapping[str, Any], namespace: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, annotation in annotations.items():
        try:
            text = isinstance(annotation, str)
            found[name] = eval(annotation, namespace) if text else annotation  # noqa: S307 - the user's
        except Exception:  # noqa: S112 - the parameter is given as it is
            continue
    return found


def name_of(wanted: Any) -> str:
    """An annotation as its author wrote it."""
    if isinstance(wanted, type) and not typing.get_args(wanted):
        return wanted.__name__
    return str(wanted).replace("typing.", "")
