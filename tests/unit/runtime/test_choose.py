"""What is chosen as working directory, and that it works without privileges."""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from argosy.runtime import temporary
from argosy.runtime.executors.localhost import ISOLATED, SHARED
from argosy.runtime.owner import place
from argosy.runtime.patterns import WHOLE, expand
from argosy.runtime.workdir import choose as module
from argosy.runtime.workdir.choose import choose

NOBODY = 65534
PR_SET_DUMPABLE = 4


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A directory that any user gets to."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def as_nobody(act: Callable[[], None]) -> int:
    """The exit status of a process of an ordinary user that does `act`."""
    place()  # loads what an ordinary user may not read here
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            # As after an exec: the process may write to its own files in /proc.
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1)
            act()
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which takes root")
@pytest.mark.parametrize("foreign", [False, True])
def test_an_ordinary_user_has_an_overlay_where_all_files_are_of_its_group(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch, foreign: bool
) -> None:
    project, temporary_folder = open_folder / "project", open_folder / "temporary"
    for folder in (project, temporary_folder):
        folder.mkdir()
        os.chown(folder, NOBODY, NOBODY)
    for name in ("in.csv", "gone.csv"):
        (project / name).write_text("1")
        os.chown(project / name, NOBODY, 0 if foreign else NOBODY)
    monkeypatch.setenv("TMPDIR", str(temporary_folder))
    monkeypatch.chdir(project)

    def act() -> None:
        workdirs = choose(ISOLATED, str(project), print)
        assert workdirs.kind == ("copy" if foreign else "overlay"), workdirs.kind
        workdir = workdirs.open()
        pid = os.fork()
        if pid == 0:
            workdir.enter()
            assert os.getuid() == NOBODY
            Path("in.csv").write_text("2")
            Path("new.csv").write_text("3")
            Path("gone.csv").unlink()
            assert names(Path()) == ["in.csv", "new.csv"]
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert list(expand(WHOLE, workdir.outgoing)) == ["in.csv", "new.csv"]
        assert names(project) == ["gone.csv", "in.csv"]
        workdir.close()
        workdirs.close()
        assert names(temporary_folder) == []

    assert as_nobody(act) == 0
    assert (project / "in.csv").read_text() == "1"


def test_where_nothing_can_be_mounted_it_is_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "works", lambda *_: False)
    workdirs = choose(ISOLATED, str(tmp_path), print)
    assert workdirs.kind == "copy"
    workdirs.close()


def test_a_run_that_starts_in_the_root_directory_shares_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert choose(ISOLATED, "/", print).kind == SHARED
    assert "steps share the working directory /" in capsys.readouterr().out


def test_what_nobody_may_read_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    (folder / "b" / "c").mkdir(parents=True)
    (folder / "b" / "x").write_text("")
    (folder / "link").symlink_to(tmp_path)
    (folder / "b").chmod(0)
    folder.chmod(0o555)
    temporary.remove(str(folder))
    assert [*tmp_path.iterdir()] == []
