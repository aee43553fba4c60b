"""A terminal of its own for a test: what a person types into it, and what is on its screen."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

COLUMNS, LINES = 110, 40


class Terminal:
    """A shell in tmux; its prompt shows the exit status of what ran before: `[0] `."""

    def __init__(self, folder: Path) -> None:
        self._socket = f"argosy-{uuid.uuid4().hex[:8]}"
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        size = ("-x", str(COLUMNS), "-y", str(LINES))
        shell = "exec env PS1='[$?] ' bash --norc --noprofile"
        self._tmux(
            "-f", "/dev/null", "new-session", "-d", *size, "-c", str(folder), shell, PATH=path
        )
        self.until(r"\A\[0\]\Z")

    def type(self, text: str) -> None:
        """A line at the prompt, on a screen that was cleared before."""
        self.until(r"^\[\d+\]\Z")
        self._tmux("send-keys", "clear", "Enter")
        self.until(r"\A\[0\]\Z")
        self._tmux("clear-history")
        self._tmux("send-keys", "-l", text)
        self._tmux("send-keys", "Enter")

    def press(self, key: str) -> None:
        self._tmux("send-keys", key)

    def screen(self) -> str:
        """All that has been written since the last line was typed, without trailing blanks."""
        text = self._tmux("capture-pane", "-p", "-J", "-S", "-")
        return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")

    def until(self, pattern: str, seconds: float = 120) -> str:
        """The screen, once it shows what is looked for."""
        return self.when(
            lambda text: bool(re.search(pattern, text, re.MULTILINE)), pattern, seconds
        )

    def when(self, holds: Callable[[str], bool], what: str, seconds: float = 120) -> str:
        end = time.monotonic() + seconds
        while not holds(text := self.screen()):
            assert time.monotonic() < end, f"not seen in {seconds:.0f} s: {what}\n{text}"
            time.sleep(0.2)
        return text

    def run(self, text: str, seconds: float = 180) -> tuple[int, str]:
        """Types a line; the exit status, and what was written."""
        self.type(text)
        screen = self.until(r"\n\[\d+\]\Z", seconds)
        body, _, prompt = screen.rpartition("\n")
        return int(prompt.strip(" []")), body.partition("\n")[2]

    def close(self) -> None:
        self._tmux("kill-server")

    def _tmux(self, *arguments: str, **environment: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, *arguments],
            env={**os.environ, **environment},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def there_is_one() -> bool:
    return shutil.which("tmux") is not None


@contextmanager
def terminal(folder: Path) -> Iterator[Terminal]:
    found = Terminal(folder)
    try:
        yield found
    finally:
        found.close()
