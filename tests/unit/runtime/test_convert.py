"""Parameters as a function's annotations ask for them."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import sys
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Optional, Union

import pydantic
import pytest

from argosy.runtime.tasks.convert import convert, hints_of


@dataclasses.dataclass
class Region:
    name: str
    size: int = 1
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class World:
    regions: dict[str, Region]


class Model(pydantic.BaseModel):
    name: str
    size: int = 1


class Point(NamedTuple):
    x: int
    y: int = 0


class Color(enum.Enum):
    RED = "r"
    BLUE = "b"


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        (3, int, 3),
        ("3", int, 3),
        ("-3", int, -3),
        (3.0, int, 3),
        (3, float, 3.0),
        ("0.5", float, 0.5),
        ("text", str, "text"),
        (True, bool, True),
        ("False", bool, False),
        (None, type(None), None),
        ([1], Any, [1]),
        ([1, "2"], list[int], [1, 2]),
        ([1], list, [1]),
        ([1, 2], tuple[int, float], (1, 2.0)),
        ([1, 2], tuple[int, ...], (1, 2)),
        ([1, 1], set[int], {1}),
        ([1, 2], Sequence[float], [1.0, 2.0]),
        ({"1": "2"}, dict[int, int], {1: 2}),
        ({"a": 1}, Mapping[str, int], {"a": 1}),
        (None, Optional[int], None),  # noqa: UP045 - as users write it
        ("3", int | None, 3),
        ("x", Union[int, str], "x"),  # noqa: UP007
        ("3", int | str, "3"),
        (True, int | bool, True),
        ([1], int | list[int], [1]),
        ("b", Literal["a", "b"], "b"),
        ("3", Annotated[int, "many"], 3),
        ({"name": "eu", "size": "2"}, Region, Region("eu", 2)),
        ({"regions": {"eu": {"name": "x"}}}, World, World({"eu": Region("x")})),
        ({"name": "eu", "size": "2"}, Model, Model(name="eu", size=2)),
        ([1], Point, Point(1)),
        ({"x": 1, "y": 2}, Point, Point(1, 2)),
        ("b", Color, Color.BLUE),
        ("RED", Color, Color.RED),
        ("a/b", Path, Path("a/b")),
        ("2024-02-29", datetime.date, datetime.date(2024, 2, 29)),
        (
            "2024-02-29T01:02:03Z",
            datetime.datetime,
            datetime.datetime(2024, 2, 29, 1, 2, 3, tzinfo=datetime.timezone.utc),
        ),
    ],
)
def test_a_value_becomes_what_is_asked_for(value: Any, wanted: Any, expected: Any) -> None:
    found = convert(value, wanted)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "wanted", "said"),
    [
        (3.5, int, "is 3.5, which is no int"),
        (True, int, "is true, which is no int"),
        ("three", int, 'is "three"'),
        (1.10, str, "is 1.1, which is no str"),
        (None, str, "is null"),
        ("yes", bool, 'is "yes", which is no bool'),
        (1, bool, "no bool"),
        ("nan", float, "no float"),
        (True, float, "no float"),
        ("abc", list[str], r"no list\[str\]"),
        ({"a": 1}, list, "no list"),
        ([1, 2, 3], tuple[int, int], "no tuple"),
        (["x"], list[int], 'is "x", which is no int'),
        ("x", int | None, 'is "x", which is no int'),
        ("x", int | float, r"no int \| float"),
        ("c", Literal["a", "b"], "no Literal"),
        ({"size": 2}, Model, '^is {"size": 2}, and 1 validation error for Model'),
        ({"size": 2}, Region, "missing .*'name'"),
        ({"name": "x", "sise": 2}, Region, "no field 'sise', it has: name, size, tags"),
        ({"name": "x", "size": "y"}, Region, "has a field 'size' that is \"y\""),
        ("x", Region, "no Region"),
        ("x", Color, r'none of \["r", "b"\]'),
        ({"size": "x"}, Model, "name"),
        (3, Path, "no Path"),
        (3, Exception, "no Exception"),
    ],
)
def test_a_value_that_is_something_else_is_refused(value: Any, wanted: Any, said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        convert(value, wanted)


def test_an_annotation_that_cannot_be_evaluated_is_left_out() -> None:
    def function(a: OnlyForTypeCheckers, b: int) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    assert hints_of(function) == {"b": int, "return": None}


def test_what_python_3_14_cannot_evaluate_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class ForwardRef:
        pass

    def evaluate(_: object) -> Any:
        raise NameError("name 'DataFrame' is not defined")

    lazily = type("Lazily", (), {"__annotations__": property(evaluate)})
    library = types.ModuleType("annotationlib")
    vars(library).update(
        ForwardRef=ForwardRef,
        Format=types.SimpleNamespace(FORWARDREF=3),
        get_annotations=lambda owner, format: {"x": int, "frame": ForwardRef()},
    )
    monkeypatch.setitem(sys.modules, "annotationlib", library)
    assert hints_of(lazily()) == {"x": int}
