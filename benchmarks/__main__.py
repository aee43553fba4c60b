"""Runs all cases and writes their table: `python -m benchmarks [FULL SHORT]`.

In two files that are given, the table and its top lines replace what is between two markers; the
table is printed anyway.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from .cases import CASES
from .row import Row

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def main(*files: str) -> int:
    for file in files:
        between_markers(Path(file).read_text("utf-8"), "")  # ends here rather than after a minute
    rows = []
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                rows += list(case(Path(folder)))
            except subprocess.CalledProcessError as error:
                print(f"{case.__name__}: {error}\n{error.stderr}", file=sys.stderr)
                return 1
    text = table(rows)
    print(text)
    for file, lines in zip(files, (text, table([row for row in rows if row.top])), strict=False):
        Path(file).write_text(between_markers(Path(file).read_text("utf-8"), lines), "utf-8")
    return 0


def table(rows: list[Row]) -> str:
    lines = ["| | measured | goal |", "|---|---|---|"]
    lines += [f"| {row.what} | {row.measured} | {row.goal} |" for row in rows]
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores; `make bench`"
    return "\n".join([*lines, "", machine])


def between_markers(document: str, text: str) -> str:
    if BEGIN not in document or END not in document:
        raise SystemExit(f"the file has no place for the table: add {BEGIN} and {END}")
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    return re.sub(pattern, lambda _: f"{BEGIN}\n{text}\n{END}", document, count=1, flags=re.DOTALL)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
