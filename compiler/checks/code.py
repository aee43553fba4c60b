"""What is wrong between a pipeline and the code of its steps, before any of it runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..compilation import Compilation
from ..errors import by_place
from ..graph import Map, Task
from ..inspection.code import Code
from ..inspection.supply import Files, Supplies
from ..settings import every_node
from .inspected import Inspected
from .missing_argument import missing_argument
from .missing_file import missing_file
from .missing_function import missing_function, missing_reducer
from .unmatched_get import unmatched_get
from .unnamed_secret import unnamed_secret
from .wrong_returns import wrong_returns

OF_TASKS = (
    missing_function,
    missing_argument,
    wrong_returns,
    missing_file,
    unnamed_secret,
    unmatched_get,
)


def code_of(compilation: Compilation, *, starts: bool = False) -> Code:
    """The code of the steps. A run that `starts` finds it from the working folder; else whoever
    asks may be elsewhere, and the definition's folder and those around it count as well."""
    here = Path.cwd()
    return Code([here] if starts else folders(here, compilation.request.definition))


def folders(here: Path, definition: str) -> list[Path]:
    """The working folder, and those from the definition's up to it."""
    folder = Path(definition).absolute().parent
    between = [one for one in folder.parents if here in one.parents]
    return [here, folder, *between]


def check_code(
    compilation: Compilation, code: Code, given: Iterable[str] = (), *, starts: bool = False
) -> Compilation:
    """Adds problems and warnings.

    `given`: the parameters of the run, beyond those that the definition declares; `starts`: the run
    is about to start, so that there are no more of them.
    """
    graph, declared = compilation.pipeline.graph, compilation.pipeline.parameters
    here = starts and compilation.settings.executor.type == "local"
    magnus = compilation.pipeline.magnus  # whose steps see secrets that they do not name
    complete = starts or bool(declared and not magnus)
    supplies = Supplies(graph, [*declared, *given], code)
    inspected = Inspected(code, supplies, Files(graph, (), code), here, complete, set())
    checks = [check for check in OF_TASKS if not magnus or check is not unnamed_secret]
    found = [
        problem
        for path, node in every_node(graph)
        if isinstance(node.spec, Task)
        for check in checks
        for problem in check(path, node, node.spec, inspected)
    ]
    found += [
        problem
        for _, node in every_node(graph)
        if isinstance(node.spec, Map)
        for problem in missing_reducer(node, node.spec, inspected)
    ]
    problems = [problem for problem in found if problem.severity == "error"]
    warnings = by_place(problem for problem in found if problem.severity == "warning")
    return compilation._replace(
        problems=(*compilation.problems, *problems),
        warnings=(*compilation.warnings, *warnings),
    )
