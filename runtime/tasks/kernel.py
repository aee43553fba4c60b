"""The kernel of a notebook task, by nbclient. Only a process that runs a notebook imports this."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import ipykernel  # noqa: F401 (the kernel that the client starts)
import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat.v4 import new_code_cell

from argosy.runtime.errors import NodeError, TaskError
from argosy.runtime.node import Node
from argosy.runtime.signals import name as signal_name
from argosy.runtime.step import Step

from .notebook import (
    EXECUTED,
    INJECTED,
    hand_on,
    injected,
    masked,
    outputs_of,
    plain,
    with_parameters,
)

STARTING = 300
"""Seconds that a kernel has to answer for the first time."""


def run(node: Node, step: Step, mask: Callable[[str], str]) -> None:
    """Runs a notebook in this process's group. Raises TaskError, NodeError."""
    notebook = read(node.command)
    if parameters := injected(step):
        cell = code_cell(notebook, parameters, id=INJECTED, metadata={"tags": [INJECTED]})
        notebook.cells = with_parameters(notebook.cells, cell)
    executed = os.path.join(step.folder, EXECUTED)

    def save(**_: Any) -> None:
        # Beside its place first: the step can be killed at any time, and this is what shows why.
        text = nbformat.writes(nbformat.from_dict(masked(notebook, mask)))
        with open(f"{executed}~", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(f"{executed}~", executed)

    kernel = Kernel(
        kernel_name=kernel_of(notebook),
        # Sockets in a folder that only this user sees; ports could be taken by others meanwhile.
        transport="ipc",
        ip=os.path.join(step.folder, "kernel"),
        connection_file=os.path.join(step.folder, "kernel.json"),
    )
    client = Live(
        notebook,
        km=kernel,
        timeout=None,
        startup_timeout=STARTING,
        resources={"metadata": {"path": os.getcwd()}},
        record_timing=False,  # the same outputs make the same file
        on_cell_start=save,
        on_cell_executed=save,
    )
    try:
        asyncio.run(executing(client, kernel, node))
    except CellExecutionError as error:
        raise TaskError(f"{client.doing}: {error.ename}: {plain(error.evalue)}") from None
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise TaskError(f"{client.doing}: stopped") from None
    except DeadKernelError:
        raise TaskError(f"{client.doing}: the kernel died{kernel.how()}") from None
    finally:
        save()
    for name, value in outputs_of(notebook.cells, node.output_cell_tag).items():
        if not node.returns or name in node.returns:
            step.set(name, value)


async def executing(client: Live, kernel: Kernel, node: Node) -> None:
    async with client.async_setup_kernel(cleanup_kc=True):
        await client.execute_unseen(BEGIN)
        for place, cell in enumerate(client.nb.cells):
            await client.execute_one(cell, place)
        client.set_widgets_metadata()
        client.doing = "`returns`"
        await client.execute_unseen(END.format(names=[*node.returns]))


def code_cell(notebook: Any, source: str, **members: Any) -> Any:
    """A new cell, as the notebook's version of the format has them."""
    cell = new_code_cell(source, **members)
    if notebook.nbformat_minor < 5:
        del cell["id"]
    return cell


def read(path: str) -> Any:
    """The notebook. Raises NodeError where there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is missing in old notebooks is added
            notebook = nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise NodeError(f"there is no notebook {path} in {os.getcwd()}") from None
    except Exception as error:  # of the many that a file which is no notebook gives
        raise NodeError(f"{path} is no notebook: {type(error).__name__}: {error}") from error
    language = notebook.metadata.get("language_info", {}).get("name") or "python"
    if notebook.metadata.get("kernelspec", {}).get("language", language) != "python":
        raise NodeError(f"{path} is not in Python, which is all that a notebook task can run")
    return notebook


def kernel_of(notebook: Any) -> str:
    """The kernel that the notebook was made with, or Python's own where that is not here."""
    wanted = notebook.metadata.get("kernelspec", {}).get("name", "python3")
    known = KernelSpecManager().find_kernel_specs()
    if wanted in known or wanted == "python3":
        return str(wanted)
    print(f"argosy: the notebook's kernel '{wanted}' is not here: it runs with python3")
    return "python3"


class Kernel(AsyncKernelManager):
    """A kernel in this process's group, so that it ends with the step; others make a session."""

    async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
        parent = {"JPY_PARENT_PID": str(os.getpid())}
        provisioner: Any = self.provisioner
        provisioner.process = subprocess.Popen(
            kernel_cmd, env={**(options.get("env") or os.environ), **parent}
        )
        provisioner.pid = provisioner.process.pid
        self.process = provisioner.process
        self._reconcile_connection_info(provisioner.connection_info)

    def how(self) -> str:
        """How its process ended, where a signal ended it."""
        code = self.process.poll()
        if code is None or code >= 0:
            return ""
        hint = "; the system kills what takes too much memory" if code == -9 else ""
        return f": ended by {signal_name(-code)}{hint}"


MODULE = hand_on.__module__
BEGIN = f"""\
try:
    __import__("{MODULE}", fromlist=["*"]).begin()
except ImportError:
    pass
"""
"""A kernel of another environment may have none of Argosy, where it needs none."""
END = f"""\
try:
    __import__("{MODULE}", fromlist=["*"]).hand_on(globals(), {{names}})
except ImportError:
    if {{names}}:
        raise
"""


class Live(NotebookClient):
    """A client that passes on what cells put out as it comes, and knows which one runs."""

    doing = "before its first cell"
    number = 0

    async def execute_unseen(self, source: str) -> None:
        """Executes what is no cell of the user's, and does not stay."""
        cell, saving = code_cell(self.nb, source), (self.on_cell_start, self.on_cell_executed)
        self.set_trait("on_cell_start", None)
        self.set_trait("on_cell_executed", None)
        self.nb.cells.append(cell)
        try:
            await self.async_execute_cell(cell, len(self.nb.cells) - 1, store_history=False)
        finally:
            self.nb.cells.pop()
            self.on_cell_start, self.on_cell_executed = saving

    async def execute_one(self, cell: Any, place: int) -> None:
        number = self.number = self.number + 1
        first = cell.source.strip().partition("\n")[0]
        self.doing = f"cell In [{number}] `{first[:60]}`"
        await self.async_execute_cell(cell, place, number)

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        content = msg["content"]
        match msg["msg_type"]:
            case "stream":
                show(content["name"], content["text"])
            case "error":
                show("stderr", plain("\n".join(content["traceback"])) + "\n")
            case "execute_result" | "display_data" if "text/plain" in content["data"]:
                show("stdout", content["data"]["text/plain"] + "\n")
        return super().process_message(msg, cell, cell_index)


def show(stream: str, text: str) -> None:
    to = sys.stderr if stream == "stderr" else sys.stdout
    to.write(text)
    to.flush()
