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
