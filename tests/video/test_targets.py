from pathlib import Path

import pytest

from vfi_jax.video import targets


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
        ("out.xyz", "a target ends in"),
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
    with pytest.raises(ValueError, match=r"also holds thesis\.tex"):
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
        assert (temporary.parent, temporary.suffix) == (tmp_path / "disk", ".mp4")
        temporary.write_text("new")
    assert (tmp_path / "out.mp4").is_symlink()
    assert (tmp_path / "disk/film").read_text() == "new"


def test_what_was_made_stays_where_it_cannot_be_moved(tmp_path, monkeypatch):
    def refuse(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with (
        pytest.raises(OSError, match=r"Permission denied.*is in .*\.out\.partial\.mp4"),
        targets.staged(tmp_path / "out.mp4") as temporary,
    ):
        temporary.write_text("whole")
    assert temporary.read_text() == "whole"


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


def _write_half(target):
    with targets.staged(target) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt


def _write(folder, name):
    with targets.staged(folder) as temporary:
        temporary.mkdir()
        (temporary / name).touch()


def _names(folder):
    return sorted(path.name for path in folder.iterdir())
