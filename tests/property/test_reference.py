"""Every executor gives what the reference says, whatever the definition."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from argosy.compiler.errors import DefinitionError
from argosy.runtime.errors import ArgosyError
from support.code import Code
from support.comparison import disagreements, may_be_refused
from support.generator import definitions
from support.projects import ProcessCode, disagreements_of_processes
from support.reference import Json

PROCESS_CODES = st.builds(ProcessCode, st.integers(0, 1000), st.sampled_from([0, 0, 20]))
CODES = st.builds(Code, st.integers(0, 1000), st.sampled_from([0, 20, 50]))


@settings(
    max_examples=120,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(definitions(depth=2, size=4), CODES)
def test_executors_agree_with_the_reference(definition: Json, code: Code) -> None:
    try:
        report = disagreements(definition, code)
    except DefinitionError as error:
        assume(not may_be_refused(error))
        raise
    assert not report, report


@settings(max_examples=6, derandomize=True, phases=[Phase.generate])
@given(definitions(depth=2, size=4), PROCESS_CODES)
def test_real_steps_agree_with_the_reference(definition: Json, code: ProcessCode) -> None:
    try:
        report = disagreements_of_processes(definition, code)
    except ArgosyError as error:
        assume(not may_be_refused(error))
        raise
    assert not report, report
