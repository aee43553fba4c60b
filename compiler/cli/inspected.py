"""What commands check of the steps' code, and of a run's parameters, before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from . import parameters

if TYPE_CHECKING:
    from ..compilation import Compilation


def inspected(
    compilation: Compilation,
    given: Mapping[str, Any],
    inherited: Mapping[str, Any] = MappingProxyType({}),
    *,
    starts: bool = False,
) -> Compilation:
    """The compilation with the problems and warnings of the steps' code. `given` are the parameters
    of the run, `inherited` those of the run that it goes on from; `starts`: it is about to start.

    Raises UsageError for a parameter that nothing can read.
    """
    from ..checks.code import check_code, code_of
    from ..inspection.parameters import known

    code = code_of(compilation, starts=starts)
    if not given.keys() <= compilation.pipeline.parameters.keys():
        names = known(compilation.pipeline, code)
        # Magnus has no defaults in a definition: one file of parameters serves several.
        parameters.must_know(names._replace(open=names.open or compilation.pipeline.magnus), given)
    return check_code(compilation, code, [*given, *inherited], starts=starts)
