"""Clips that are smaller than the crop."""

import contextlib
import dataclasses

import pytest

from vfi_jax.data import sample_tree, sizes, tfds_builder
from vfi_jax.data.batch_source import open_batch_source
from vfi_jax.data.build import Options, build
from vfi_jax.data.choice import HELD_OUT, Choice

UNKNOWN = sizes.Measured("", 3, None)


@pytest.fixture(params=["files", "built"])
def mixed(request, tmp_path):
    """Three sequences of 16 x 16, 48 x 32 and 32 x 48."""
    for name, size in (("a", (16, 16)), ("s/b", (48, 32)), ("s/c", (32, 48))):
        sample_tree.pictures(tmp_path / "raw" / name, ["1.png", "2.png", "3.png"], size=size)
    folder = tmp_path / "raw"
    if request.param == "built":
        build(Options("frame_folder", tmp_path / "built", folder))
        folder = tmp_path / "built"
    return Choice(("frame_folder",), folder, "whole", crop=(32, 32))


@pytest.mark.parametrize("resident", [False, True])
def test_clips_smaller_than_the_crop_are_skipped_with_one_warning(mixed, resident):
    mixed = dataclasses.replace(mixed, resident=resident)
    with (
        pytest.warns() as found,
        contextlib.closing(open_batch_source(mixed)) as opened,
    ):
        assert [opened.names(step) for step in range(2)] in ([["s/b"], ["s/c"]], [["s/c"], ["s/b"]])
    assert [str(one.message) for one in found] == [
        "1 of 3 clips are smaller than the crop (32, 32) and were skipped: a"
    ]
    wide = dataclasses.replace(mixed, crop=(32, 40))
    with pytest.warns(match=r"2 of 3 clips .*: a, s/b"):
        open_batch_source(wide).close()
    with pytest.raises(ValueError, match=r"crop \(32, 40\) does not fit into clip (a|s/b) of"):
        open_batch_source(dataclasses.replace(wide, strict=True))
    with pytest.raises(
        ValueError, match=r"any clip of frame_folder in 'whole'; .* of \((32, 48|48, 32)\)"
    ):
        open_batch_source(dataclasses.replace(mixed, crop=(64, 64)))


def test_a_small_video_among_others_is_skipped(tmp_path):
    sample_tree.video(tmp_path / "train/a.avi", 18)
    sample_tree.video(tmp_path / "train/b.avi", size=(64, 64))
    sample_tree.video(tmp_path / "val/c.avi")
    choice = Choice(("video_folder",), tmp_path, crop=(48, 48), resident=True)
    with pytest.warns(match=r"2 of 3 clips .*: train/a/\* \(2\)"):
        assert open_batch_source(choice).names(0) == ["train/b/000000"]
    choice = dataclasses.replace(choice, split=HELD_OUT)
    with pytest.raises(ValueError, match=r"disable evaluation \(--eval-every 0\)"):
        open_batch_source(choice)


@pytest.mark.parametrize("resident", [False, True])
def test_small_clips_of_unknown_size_are_skipped_when_drawn(mixed, resident, monkeypatch):
    monkeypatch.setattr(sizes, "measure", lambda clips: [UNKNOWN for _ in range(len(clips))])
    monkeypatch.setattr(tfds_builder, "read_bounds", lambda *where: None)
    choice = dataclasses.replace(mixed, resident=resident, batch=3)
    with pytest.warns() as found, contextlib.closing(open_batch_source(choice)) as opened:
        assert len(opened.draw(0)["seeds"]) == 3
    messages = [str(one.message) for one in found]
    assert messages[0].startswith("skipped: crop (32, 32) does not fit into clip a of (16, 16)")
    assert messages[1:] == ["1 could not be read and were skipped"]
