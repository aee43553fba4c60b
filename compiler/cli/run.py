"""`argosy run`."""

from __future__ import annotations

import json
import secrets
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from argosy.runtime.executors.local import LAUNCHER
from argosy.runtime.files import write_all
from argosy.runtime.signals import STOPPING

from ..commit import Commit
from ..errors import Problem, SettingsError
from . import asking, options, parameters
from .inspected import inspected
from .outcome import show_files, show_outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..compilation import Compilation, Request

HERE = "local", "local-container"
"""The executors that the launcher has steps for."""


@click.command()
@options.request
@parameters.option
@options.resuming
@click.option(
    "--approve", "approvals", multiple=True, metavar="NAME", help="Approve this step in advance."
)
@click.option("--approve-all", is_flag=True, help="Approve every step in advance.")
@click.option(
    "--build", is_flag=True, help="For local-container: build the image of the project first."
)
@options.output
def run(
    request: Request,
    given: tuple[str, ...],
    resume: str | None,
    by_name: bool,
    ignore_code: bool,
    approvals: tuple[str, ...],
    approve_all: bool,
    build: bool,
    output: str,
) -> None:
    """Run the pipeline FILE on this machine.

    Each step is a process of its own, or with the executor local-container a container;
    independent ones run side by side. The result goes to
    stdout, all that happens on the way to stderr.

    \b
    argosy run pipeline.yaml
    argosy run pipeline.yaml -p rate=0.2 -p regions='["eu"]'
    argosy run pipeline.yaml --resume latest
    argosy run pipeline.yaml -c container.yaml --build
    """
    with launcher() as process:
        commit = Commit()
        compilation = _compile(request)
        pipeline = compilation.pipeline
        own = parameters.read(pipeline, given)
        options.report(inspected(compilation, own, starts=True))
        arguments = {**pipeline.parameters, **own}
        if resume:
            compilation = _kept(compilation, resume)
        plan = _plan(compilation, arguments, resume)
        plan |= {"by_name": by_name, "ignore_code": ignore_code, "git": commit.result()}
        _approve(compilation, plan, approvals, approve_all)
        plan |= _containers(compilation, build)
        outcome = _launch(process, plan)
    with suppress(BrokenPipeError):  # nobody reads it; it says nothing of how the run ended
        show_outcome(outcome, output)
        if output == "text":
            show_files(outcome)
    if process.returncode:
        from ..environments import layered

        before = {"-c": layered(request), "-v": options.written(request.variables)}
        before |= {"-p": given, "--approve": approvals}
        again = _again(request.definition, before, approve_all, str(outcome["run"]))
        click.echo(f"to go on from there: {again}", err=True)
        sys.exit(process.returncode)


@contextmanager
def launcher() -> Iterator[subprocess.Popen[bytes]]:
    """The process that will run the plan: started first, so that it is up when the plan is ready.

    It has a session of its own, and so hears of Ctrl-C from here only, once. It ends by itself
    when its stdin does.
    """
    argv = [sys.executable, "-c", LAUNCHER, "--attached"]
    process = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        yield process
    finally:
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()
        process.wait()


def _compile(request: Request) -> Compilation:
    from .. import phases

    compilation = phases.compile(request, until=phases.lower)
    executor = compilation.settings.executor.type
    if executor not in HERE:
        hint = (
            f"`argosy render` writes what {executor} runs; leave out its configuration to run here"
        )
        message = f"the executor '{executor}' does not run on this machine"
        raise SettingsError([Problem(message, hint=hint)])
    return compilation


def _kept(compilation: Compilation, resume: str) -> Compilation:
    """The compilation with what stands for steps that succeeded in the earlier run."""
    from argosy.runtime.alternatives import GOOD

    from ..kept import keep_stubs
    from . import history

    steps = history.read(compilation.run_log_store, resume).steps
    return keep_stubs(compilation, (step.path for step in steps if step.last.status in GOOD))


def _plan(
    compilation: Compilation, arguments: Mapping[str, Any], resume: str | None
) -> dict[str, Any]:
    """The plan as the launcher reads it (docs/local.md)."""
    from ..graph import segment
    from ..integrate import context
    from ..plan import local_plan

    if resume:
        from . import history

        resume = history.read(compilation.run_log_store, resume).id
    told = context(compilation)
    if compilation.settings.executor.type == "local":  # a container has its own from its start
        told["environment"] = dict(compilation.executor.environment)
    return {
        "run": f"{segment(compilation.pipeline.name)}-{secrets.token_hex(4)}",
        "context": told,
        "arguments": dict(arguments),
        "origin": {},
        "workers": compilation.executor.config.get("max_workers"),
        "workdir": compilation.executor.config.get("workdir"),
        "resume": resume,
        **local_plan(compilation.pipeline.graph, compilation.flow),
    }


def _approve(
    compilation: Compilation, plan: Mapping[str, Any], names: Iterable[str], everything: bool
) -> None:
    """Marks the plan's approvals that who starts the run has said yes to."""
    alone = sys.stdin is None or not sys.stdin.isatty()
    given = asking.approved(compilation.pipeline.graph, names, everything, alone)
    for graph in plan["graphs"].values():
        for node in graph["nodes"]:
            if node["kind"] == "approval" and node["name"] in given:
                node["approved"] = given[node["name"]]


def _containers(compilation: Compilation, build: bool) -> dict[str, Any]:
    """The plan's part about containers, where the steps are any."""
    if compilation.settings.executor.type == "local-container":
        from ..containers import container_plan

        return {"containers": container_plan(compilation, build)}
    if build:
        raise click.UsageError("--build goes with executor: {type: local-container}")
    return {}


def _launch(process: subprocess.Popen[bytes], plan: Mapping[str, Any]) -> dict[str, Any]:
    """Has the launcher run the plan, and gives what it says of the end."""
    if process.stdin is None:
        raise ValueError("the launcher has no pipes")

    def forward(number: int, _: object) -> None:
        process.send_signal(number)

    for number in STOPPING:
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, forward)
    try:
        # Not through its buffer, which closing the stream would write once more.
        line = json.dumps(plan, separators=(",", ":")).encode() + b"\n"
        write_all(process.stdin.fileno(), line)
    except BrokenPipeError:
        pass  # it has said why on stderr
    outcome = asking.listen(process)
    process.wait()
    # Below 0: the signal came before it could listen.
    stopped_by = -process.returncode if process.returncode < 0 else process.returncode - 128
    if stopped_by in STOPPING and not outcome:
        sys.exit(128 + stopped_by)  # stopped before there was a run
    if not outcome:
        way = "`argosy show` tells how far it came"
        raise click.ClickException(f"the run {plan['run']} broke off; {way}")
    if "refused" in outcome:
        raise SettingsError([Problem(outcome["refused"])])
    return outcome


def _again(
    definition: str, given: Mapping[str, Iterable[str]], approve_all: bool, run_id: str
) -> str:
    """The command that resumes the run: as it was given, so that what is unchanged is skipped."""
    argv = ["argosy", "run", definition]
    for option, values in given.items():
        for value in values:
            argv += [option, value]
    if approve_all:
        argv.append("--approve-all")
    return shlex.join([*argv, "--resume", run_id])
