"""What values and iterations cost in time and space: a run log is to grow with what is new."""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from .measure import Cost, run
from .row import Row

ARGOSY = str(Path(sysconfig.get_path("scripts")) / "argosy")
MIB = 1 << 20

MAP = """\
name: map
dag:
  steps:
    list: {{type: task, command: jobs.items_{count}, returns: [items]}}
    each:
      type: map
      iterate_on: items
      iterate_as: item
      depends_on: [list]
      branch: {{steps: {{nothing: {{type: task, command: jobs.nothing}}}}}}
"""


def growth(folder: Path) -> Iterator[Row]:
    """Run logs of long chains and large maps, and the time of a shell step."""
    functions = ["def nothing() -> None: ...\n"]
    functions += [f"def items_{n}() -> list[int]: return list(range({n}))\n" for n in (1000, 10000)]
    for size in (10, 20_000):
        functions += [
            f"def v{n}_{size}() -> str: return '{n:05}' * {size // 5}\n" for n in range(1_000)
        ]
    (folder / "jobs.py").write_text("".join(functions))

    without, _ = _measured(folder, chain(400, 0))
    values, size = _measured(folder, chain(400, 20_000))
    yield Row(
        "run log of 400 steps in sequence that return 20 KB each",
        f"{size / MIB:.1f} MiB, {values.seconds / without.seconds:.2f} x the time without values",
        "30 MiB, 2 x",
    )
    _, size = _measured(folder, chain(1_000, 10))
    yield Row(
        "run log of 1,000 steps that return 10 characters each", f"{size / MIB:.1f} MiB", "12"
    )
    few, _ = _measured(folder, MAP.format(count=1_000))
    many, size = _measured(folder, MAP.format(count=10_000))
    yield Row(
        "a map of 10,000 empty iterations",
        f"{many.seconds / few.seconds / 10:.2f} x the time of 1,000 for each,"
        f" {many.memory:.0f} MiB of memory, {size / MIB:.1f} MiB of run log",
        "1 x, 150 MiB, 60 MiB",
    )
    one, _ = _measured(folder, shell(1))
    hundred, _ = _measured(folder, shell(101))
    milliseconds = (hundred.seconds - one.seconds) * 10
    yield Row("a shell step that runs `true`", f"{milliseconds:.1f} ms", "8 ms")


def chain(steps: int, characters: int) -> str:
    """Steps one after the other; each returns so many characters under a name of its own."""
    lines = ["name: chain", "dag:", "  steps:"]
    for n in range(steps):
        after = f", depends_on: [s{n - 1}]" if n else ""
        task = f"jobs.v{n}_{characters}, returns: [v{n}]" if characters else "jobs.nothing"
        lines.append(f"    s{n}: {{type: task, command: {task}{after}}}")
    return "\n".join([*lines, ""])


def shell(steps: int) -> str:
    lines = ["name: shell", "dag:", "  steps:"]
    for n in range(steps):
        after = f", depends_on: [s{n - 1}]" if n else ""
        lines.append(f'    s{n}: {{type: task, command_type: shell, command: "true"{after}}}')
    return "\n".join([*lines, ""])


def _measured(folder: Path, definition: str) -> tuple[Cost, int]:
    """What a run costs, and the bytes that its run log takes on disk."""
    log = folder / ".argosy"
    shutil.rmtree(log, ignore_errors=True)
    (folder / "growth.yaml").write_text(definition)
    cost = run([ARGOSY, "run", "growth.yaml"], cwd=folder)
    return cost, sum(path.lstat().st_blocks * 512 for path in log.rglob("*"))
