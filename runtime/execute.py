"""One node, start to end."""

from __future__ import annotations

from collections.abc import Callable

from .alternatives import statuses
from .attempt import Attempt, complain
from .context import Context
from .entries import State, written
from .errors import ArgosyError, ServiceError, TaskError
from .node import Node
from .signals import Signals
from .tasks import task
from .tasks.environment import parse
from .values import brief


def execute(node: Node, key: str, ended: str, context: Context, number: int = 1) -> int:
    """Runs `node` and gives the exit status.

    `key` is the indexes of the maps that it is in; `ended` says how the nodes ended that decide
    what it reads; `number` is which attempt this is, from 1. What goes wrong is printed and
    recorded, never raised.
    """
    try:
        attempt = Attempt(node, key, statuses(ended), context, number)
    except ArgosyError as error:
        complain(str(error))
        return error.exit_status
    with Signals() as signals:
        try:
            entering = attempt.read()
            if attempt.resumed():
                return 0
            attempt.start()
            signals.check()
            attempt.succeed(ACTS[node.type](attempt, entering, signals))
        except ArgosyError as error:
            attempt.fail(error)
            return error.exit_status
        except Exception as error:  # a plugin raises what it likes; the record must still end
            return unexpected(attempt, error)
    return 0


def prepare(node: Node, key: str, ended: str, context: Context, number: int = 1) -> int:
    """What comes before a container of the user's in the same pod: what enters it is put where it
    finds it. Writes to the run log only what went wrong."""
    from .tasks import pod

    try:
        attempt = Attempt(node, key, statuses(ended), context, number)
    except ArgosyError as error:
        complain(str(error))
        return error.exit_status
    try:
        pod.prepare(attempt, attempt.read())
    except ArgosyError as error:
        attempt.fail(error)
        return error.exit_status
    except Exception as error:  # as in `execute`
        return unexpected(attempt, error)
    return 0


def pass_on(attempt: Attempt, entering: State, signals: Signals) -> State:
    """A control: it joins what it reads. After a template of the engine's it adds the outputs that
    are parameters."""
    outputs = attempt.context.outputs
    if not outputs:
        return entering
    made = {}
    for name, text in outputs.items():
        if text is None:
            raise TaskError(f"the template left no output that could be the parameter '{name}'")
        made[name] = written(attempt.instance, attempt.rank, parse(str(text).removesuffix("\n")))
    return entering._replace(parameters={**entering.parameters, **made})


def fail(attempt: Attempt, entering: State, signals: Signals) -> State:
    """A `fail` node: the user's message, the value that no branch of a conditional is for, or that
    which has ended no round of a loop."""
    node = attempt.node
    if node.parameter is None:
        raise TaskError(node.message or "the pipeline came to a step that fails it")
    entry = entering.parameters.get(node.parameter)
    found = "is not there" if entry is None else f"is {brief(attempt.reader.value(entry))}"
    if node.rounds is not None:
        raise TaskError(
            f"the loop is not done after max_iterations: {node.rounds}; parameter "
            f"'{node.parameter}' {found}, and only true ends it"
        )
    branches = ", ".join(map(brief, node.values)) or "none"
    message = node.message or "no branch is for this value, and there is no default"
    raise TaskError(f"{message}: parameter '{node.parameter}' {found}; branches: {branches}")


ACTS: dict[str, Callable[[Attempt, State, Signals], State]] = {
    "task": task.run,
    "control": pass_on,
    "fail": fail,
}


def unexpected(attempt: Attempt, error: Exception) -> int:
    import traceback

    complain(traceback.format_exc())
    wrapped = ServiceError(f"{type(error).__name__}: {error}")
    attempt.fail(wrapped)
    return wrapped.exit_status
