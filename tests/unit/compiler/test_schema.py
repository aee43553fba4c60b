"""schema.json says what the installed models say."""

from __future__ import annotations

import pytest

from argosy.compiler.schema import fields

pytest.importorskip("argo_workflows")
pytest.importorskip("kubernetes")
from argosy.compiler.schema import make  # it needs both


def test_the_schema_is_made_from_the_installed_models() -> None:
    assert fields.PATH.read_text(encoding="utf-8") == make.encode(make.make()), (
        "the models have changed: run `make schema`"
    )


def test_every_type_that_a_field_has_is_there() -> None:
    types = fields.load()["types"]
    named = {type_.rstrip("!").strip("[]{}") for each in types.values() for type_ in each.values()}
    assert named - set(fields.SCALARS) <= set(types)
    assert set(fields.load()["kinds"].values()) <= set(types)


def test_what_the_models_say_wrong_is_corrected() -> None:
    types = fields.load()["types"]
    places = {f"{name}.{field}" for name, each in types.items() for field in each}
    assert make.NUMBER_OR_TEXT | set(make.CORRECTED) <= places
    assert types["argo.RetryStrategy"]["limit"] == "int|str"
    assert types["argo.DAGTask"]["withItems"] == "[any]"
