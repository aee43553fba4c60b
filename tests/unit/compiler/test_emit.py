"""Files on their way out: only ours are touched, and each is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from argosy.compiler.emit import difference, mark, stream, write
from argosy.compiler.errors import ManifestError

ONE = f"{mark('one')}\n"
FILES = {"a.yaml": f"{ONE}a: 1\n", "kustomization.yaml": f"{ONE}resources: []\n"}


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_stream_holds_the_objects_and_not_kustomizes_files() -> None:
    files = {**FILES, "b.yaml": f"{ONE}b: 1\n"}
    assert stream(files) == f"{ONE}a: 1\n---\n{ONE}b: 1\n"


def test_files_are_written_once(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    assert write(FILES, str(folder)) == [str(folder / name) for name in FILES]
    assert content(folder) == FILES
    assert difference(FILES, str(folder)) == ""
    assert write(FILES, str(folder)) == []


def test_what_is_no_more_is_deleted_and_what_changed_is_replaced(tmp_path: Path) -> None:
    write({**FILES, "old.yaml": f"{ONE}old: 1\n"}, str(tmp_path))
    (tmp_path / "mine.yaml").write_text("mine: 1\n")
    (tmp_path / "notes.txt").write_text(ONE)
    changed = {**FILES, "a.yaml": f"{ONE}a: 2\n"}
    written = write(changed, str(tmp_path))
    assert written == [str(tmp_path / name) for name in ("a.yaml", "old.yaml")]
    assert content(tmp_path) == {**changed, "mine.yaml": "mine: 1\n", "notes.txt": ONE}


@pytest.mark.parametrize("text", ["a: mine\n", "", f"{mark('another')}\na: 1\n"])
def test_a_file_that_is_not_this_pipelines_is_not_overwritten(tmp_path: Path, text: str) -> None:
    (tmp_path / "kustomization.yaml").write_text(text)
    for act in (write, difference):
        with pytest.raises(ManifestError, match=r"kustomization\.yaml"):
            act(FILES, str(tmp_path))
    assert content(tmp_path) == {"kustomization.yaml": text}


def test_a_folder_of_another_pipeline_is_said_once(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).write_text(f"{mark('another')}\n")
    with pytest.raises(ManifestError) as error:
        write(FILES, str(tmp_path))
    (problem,) = error.value.problems
    assert problem.message == f'{tmp_path / "a.yaml"} is of the pipeline "another"'


def test_another_pipelines_files_are_neither_stale_nor_deleted(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(f"{mark('another')}\nb: 1\n")
    write(FILES, str(tmp_path))
    assert (tmp_path / "b.yaml").exists()
    assert difference(FILES, str(tmp_path)) == ""


def test_the_difference_is_a_diff_from_what_is_there(tmp_path: Path) -> None:
    write({**FILES, "old.yaml": f"{ONE}old: 1\n"}, str(tmp_path))
    (tmp_path / "a.yaml").write_text(f"{ONE}a: 2")
    (tmp_path / "kustomization.yaml").unlink()
    found = difference(FILES, str(tmp_path))
    assert "-a: 2\n+a: 1\n" in found
    assert f"--- /dev/null\n+++ {tmp_path / 'kustomization.yaml'}" in found
    assert f"--- {tmp_path / 'old.yaml'}\n+++ /dev/null" in found


def test_a_file_in_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(ManifestError, match="is a file"):
        write(FILES, str(tmp_path / "out"))


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(FILES, str(tmp_path))

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write({**FILES, "a.yaml": f"{ONE}a: 2\n"}, str(tmp_path))
    assert content(tmp_path)["a.yaml"] == FILES["a.yaml"]
