"""All phases of compiling, in their order.

Each takes a Compilation and returns it with its own part filled in. The first one reads files; the
rest compute. Problems pile up in the compilation until a phase that cannot go on with any.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

from . import checks, parse, settings, source, variables
from .compatibility import adapt
from .compilation import Compilation, Request
from .engines import ENGINES, back_end
from .environments import layered
from .errors import DefinitionError, Problem, SettingsError
from .flow import flow
from .magnus import configuration_beside
from .parse import Context


def load(compilation: Compilation) -> Compilation:
    """The definition's YAML, with a place on every value."""
    hint = "`argosy init` writes a first pipeline"
    return compilation._replace(document=source.load(compilation.request.definition, hint))


def parse_definition(compilation: Compilation) -> Compilation:
    """The pipeline's graph."""
    path = compilation.request.definition
    context = _context(compilation)
    pipeline = parse.parse(compilation.document, Path(path).stem, context)
    if pipeline is None:
        raise DefinitionError(context.problems)
    return compilation._replace(pipeline=pipeline, problems=tuple(context.problems))


def check(compilation: Compilation) -> Compilation:
    """Everything that is wrong with the graph; together with what parsing found, raised at once."""
    found, warnings = checks.check(compilation.pipeline, alone=not compilation.problems)
    if compilation.problems or found:
        raise DefinitionError([*compilation.problems, *found])
    return compilation._replace(warnings=(*compilation.warnings, *warnings))


def resolve(compilation: Compilation) -> Compilation:
    """The configuration, and each step's overrides of it."""
    context = _context(compilation)
    request = compilation.request
    pipeline = compilation.pipeline
    beside = configuration_beside(request.definition) if pipeline.magnus else None
    configuration = settings.read(layered(request), compilation.document, context, beside)
    resolved = settings.resolve(configuration, context)
    if resolved.pipeline and "name" not in compilation.document:
        pipeline = pipeline._replace(name=resolved.pipeline)
    steps = settings.step_options(
        compilation.pipeline.graph, resolved.executor, context, resolved.plugins
    )
    if context.problems:
        raise SettingsError(context.problems)
    graph = settings.bounded(pipeline.graph, resolved.executor)
    graph = settings.in_data_folder(graph, resolved.data_folder)
    if resolved.executor.type == "mocked":
        from .mocked import mock

        graph = mock(graph, resolved.executor)
        resolved = settings.without_mock(resolved)
    compilation = compilation._replace(pipeline=pipeline._replace(graph=graph))
    return adapt(compilation._replace(settings=resolved._replace(steps=steps)))


def integrate(compilation: Compilation) -> Compilation:
    """The live executor and services, after each one's integration has had its say."""
    from .integrate import integrate as adapt

    return adapt(compilation)


def lower(compilation: Compilation) -> Compilation:
    """What each node reads, and for an engine its objects as data."""
    steps = compilation.settings.steps.items()
    memoized = {path for path, options in steps if options.get("memoize")}
    compilation = compilation._replace(flow=flow(compilation.pipeline.graph, memoized))
    engine = compilation.settings.executor.type
    return _phase_of(engine, "lower")(compilation) if engine in ENGINES else compilation


def render(compilation: Compilation) -> Compilation:
    """The engine's objects as text."""
    from .render import render as fill

    return fill(compilation)


def verify(compilation: Compilation) -> Compilation:
    """Raises ManifestError where the engine would not take what was rendered."""
    return _phase_of(compilation.settings.executor.type, "verify")(compilation)


Phase = Callable[[Compilation], Compilation]
PHASES: tuple[Phase, ...] = (
    load,
    parse_definition,
    check,
    resolve,
    integrate,
    lower,
    render,
    verify,
)


def compile(request: Request, until: Phase = verify) -> Compilation:
    """Runs the phases up to and with `until`. Raises CompileError, with all that it found.

    What is compiled for an executor without an engine (local) ends at `lower`; asking for more of
    it is an error that says so. Writing the files is `emit`'s.
    """
    compilation = Compilation(request)
    with redirect_stdout(sys.stderr):  # what a plugin prints is no part of the command's result
        for phase in PHASES:
            if phase is render:
                _require_engine(compilation)
            compilation = phase(compilation)
            if phase is until:
                break
    return compilation


def _require_engine(compilation: Compilation) -> None:
    executor = compilation.settings.executor
    if executor.type not in ENGINES:
        hint = f"give a configuration with -c; executors with manifests: {', '.join(ENGINES)}"
        message = f"the executor '{executor.type}' runs here, without manifests"
        raise SettingsError([Problem(message, hint=hint)])


def _context(compilation: Compilation) -> Context:
    files = (str(Path(compilation.request.definition).resolve()),)
    return Context(variables=variables.collect(compilation.request.variables), files=files)


def _phase_of(engine: str, name: str) -> Phase:
    return getattr(back_end(engine, name), name)  # type: ignore[no-any-return]
