import os
import threading
from pathlib import Path

import pytest

from vfi_jax.video import targets, workspace


def test_a_target_without_suffix_or_with_a_slash_is_a_folder(tmp_path):
    assert targets.is_folder("frames")
    assert targets.is_folder("frames.v2/")
    assert targets.is_folder(tmp_path)
    assert not targets.is_folder("out.mp4")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("in.mp4", "is the source"),
        ("no/out.mp4", "does not exist"),
        ("out.xyz", "a target must end in"),
        ("there.mp4", "--overwrite"),
    ],
)
def test_targets_that_cannot_be_are_refused(tmp_path, name, message):
    (tmp_path / "in.mp4").touch()
    (tmp_path / "there.mp4").touch()
    with pytest.raises(ValueError, match=message):
        targets.check(tmp_path / "in.mp4", tmp_path / name, folder=False, overwrite=False)


def test_a_folder_with_other_files_is_never_replaced(tmp_path):
    (tmp_path / "frame_000000.png").touch()
    targets.check(Path("in.mp4"), tmp_path, folder=True, overwrite=True)
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ValueError, match=r"also contains thesis\.tex"):
        targets.check(Path("in.mp4"), tmp_path, folder=True, overwrite=True)


def test_a_folder_of_hidden_files_is_empty(tmp_path):
    (tmp_path / ".DS_Store").touch()
    targets.check(Path("in.mp4"), tmp_path, folder=True, overwrite=False)
    _write(tmp_path, "frame_000000.png")
    assert _names(tmp_path) == [".DS_Store", "frame_000000.png"]


@pytest.mark.parametrize("name", [".", "link", "folder"])
def test_a_folder_stays_and_its_frames_are_replaced(tmp_path, monkeypatch, name):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(folder if name == "." else tmp_path)
    for index in range(3):
        (folder / f"frame_00000{index}.png").write_text("old")
    before = folder.stat().st_ino
    targets.check(Path("in.mp4"), Path(name), folder=True, overwrite=True)
    with targets.staged(Path(name)) as temporary:
        temporary.mkdir()
        for index in range(2):
            (temporary / f"frame_00000{index}.png").write_text("new")
        (folder / "late.txt").touch()  # put there during the work
        assert (folder / "frame_000000.png").read_text() == "old"
    assert folder.stat().st_ino == before
    assert (tmp_path / "link").is_symlink()
    assert _names(folder) == ["frame_000000.png", "frame_000001.png", "late.txt"]
    assert (folder / "frame_000001.png").read_text() == "new"


def test_a_link_to_a_file_is_written_through(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/film").write_text("old")
    (tmp_path / "out.mp4").symlink_to(tmp_path / "disk/film")
    with targets.staged(tmp_path / "out.mp4") as temporary:
        assert (temporary.parents[1], temporary.suffix) == (tmp_path / "disk", ".mp4")
        temporary.write_text("new")
    assert (tmp_path / "out.mp4").is_symlink()
    assert (tmp_path / "disk/film").read_text() == "new"


def test_a_result_that_cannot_be_moved_is_kept(tmp_path, monkeypatch):
    def refuse(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with (
        pytest.raises(OSError, match=r"Permission denied.*is in .*vfi_jax-result-1\.mp4"),
        targets.staged(tmp_path / "out.mp4") as temporary,
    ):
        temporary.write_text("whole")
    assert _names(tmp_path) == ["vfi_jax-result-1.mp4"]
    assert (tmp_path / "vfi_jax-result-1.mp4").read_text() == "whole"


def test_a_file_in_the_place_of_a_folder_is_refused_at_once(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(ValueError, match="is a file"):
        targets.check(Path("in.mp4"), tmp_path / "out", folder=True, overwrite=False)


def test_a_target_appears_complete_or_not_at_all(tmp_path):
    target = tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt):
        _write_half(target)
    assert not list(tmp_path.iterdir())
    with targets.staged(target) as temporary:
        assert temporary.suffix == ".mp4"
        temporary.write_text("whole")
        assert not target.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_second_run_into_one_target_is_refused_while_the_first_works(tmp_path):
    target = tmp_path / "out.mp4"
    with targets.staged(target) as first:
        first.write_text("first")
        with pytest.raises(ValueError, match="another run is writing to"), targets.staged(target):
            raise AssertionError
        assert first.read_text() == "first"
    assert _names(tmp_path) == ["out.mp4"]


def test_work_that_a_killed_run_left_is_cleared_away(tmp_path):
    folder = workspace.folder_of(tmp_path / "out.mp4")
    folder.mkdir()
    (folder / "result.mp4").write_text("half")
    with targets.staged(tmp_path / "out.mp4") as temporary:
        assert not temporary.exists()
        temporary.write_text("whole")
    assert _names(tmp_path) == ["out.mp4"]


def test_partial_files_of_other_programs_stay(tmp_path):
    (tmp_path / ".out.partial.mp4").write_text("mine")
    (tmp_path / "result.mp4").write_text("mine")
    with targets.staged(tmp_path / "out.mp4") as temporary:
        temporary.write_text("whole")
    assert (tmp_path / ".out.partial.mp4").read_text() == "mine"
    assert (tmp_path / "result.mp4").read_text() == "mine"


def test_a_target_that_appears_during_the_run_is_not_replaced(tmp_path):
    target = tmp_path / "out.mp4"
    with pytest.raises(OSError, match=r"was created during the run.*vfi_jax-result-1\.mp4"):
        _write_while_another_appears(target)
    assert target.read_text() == "mine"
    assert (tmp_path / "vfi_jax-result-1.mp4").read_text() == "whole"


def test_a_fifo_gets_the_whole_result_and_stays_a_fifo(tmp_path):
    pipe = tmp_path / "out.mp4"
    os.mkfifo(pipe)
    targets.check(Path("in.mp4"), pipe, folder=False, overwrite=False)
    received = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_text()))
    reader.start()
    with targets.staged(pipe, overwrite=False) as temporary:
        temporary.write_text("whole")
    reader.join(timeout=10)
    assert received == ["whole"]
    assert pipe.is_fifo()


@pytest.mark.parametrize("path", ["", "-"])
def test_a_target_without_a_name_is_refused(path):
    with pytest.raises(ValueError, match="target must name a file or folder"):
        targets.named("target", path)


def test_names_may_have_255_bytes(tmp_path):
    name = "é" * 125 + "n.mp4"
    assert len(name.encode()) == 255
    _write(tmp_path / name, None)
    assert _names(tmp_path) == [name]
    with pytest.raises(ValueError, match="longer than 255 bytes"):
        targets.check(None, tmp_path / f"x{name}", folder=False, overwrite=False)


def _write_while_another_appears(target):
    with targets.staged(target, overwrite=False) as temporary:
        temporary.write_text("whole")
        target.write_text("mine")


def _write_half(target):
    with targets.staged(target) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt


def _write(target, name):
    with targets.staged(target) as temporary:
        if name:
            temporary.mkdir()
        (temporary / name if name else temporary).touch()


def _names(folder):
    return sorted(path.name for path in folder.iterdir())
