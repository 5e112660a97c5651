"""Pixels that output frames take from the source: masks and previews."""

from fractions import Fraction

import numpy as np
import pytest

from vfi_jax import images
from vfi_jax.video import interpolate_video, read_frames
from vfi_jax.video.originals import Originals, read_mask
from vfi_jax.video.source import Frame

from .clips import frames, make


def _flat(value):
    return np.full((4, 6, 3), value, np.uint8)


def test_pixels_under_a_mask_are_of_the_source_frame_of_that_time():
    mask = np.zeros((4, 6), np.float32)
    mask[0], mask[1] = 1, 0.5
    originals = Originals(mask, preview=False)
    for _ in originals.passing(Frame(_flat(10 * n), Fraction(n), Fraction(1)) for n in range(3)):
        pass
    for time, value in ((0, 0), (Fraction(1, 2), 0), (1, 10), (Fraction(7, 4), 10), (2, 20)):
        out = originals(_flat(200), time)
        assert (out[0] == value).all()
        assert (out[1] == (200 + value) / 2).all()
        assert (out[2:] == 200).all()


def test_boxes_and_pictures_add_up(tmp_path):
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[3] = 255
    images.write(tmp_path / "mask.png", picture)
    mask = read_mask(["1,0,2,1", str(tmp_path / "mask.png")], 6, 4)
    assert mask.tolist() == [[0, 1, 1, 0, 0, 0], [0] * 6, [0] * 6, [1] * 6]
    assert read_mask([], 6, 4) is None


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("1,0,6,1", "mask 1,0,6,1 must be a box inside the frame of 6x4"),
        ("0,0,0,1", "must be a box inside"),
        ("1,2,3", "neither a box X,Y,WIDTH,HEIGHT nor an image that exists"),
        ("small.png", r"mask small\.png is 2x2, the video 6x4"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(tmp_path, monkeypatch, part, message):
    monkeypatch.chdir(tmp_path)
    images.write(tmp_path / "small.png", np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(ValueError, match=message):
        read_mask([part], 6, 4)


@pytest.mark.parametrize("resume", [False, True])
def test_a_masked_ticker_is_never_blended(tmp_path, resume):
    pictures = frames()
    for index, picture in enumerate(pictures):
        picture[24:] = 0
        picture[24:, 8 * index : 8 * index + 8] = 255
    source = make(
        tmp_path / "in.mkv", pictures, codec="ffv1", pixel_format="bgr0", options={"x": ""}
    )
    interpolate_video(source, tmp_path / "out", mask=["0,24,48,8"], resume=resume)
    interpolate_video(source, tmp_path / "plain")
    out, plain = read_frames(tmp_path / "out")[0], read_frames(tmp_path / "plain")[0]
    assert (out[:, :24] == plain[:, :24]).all()
    assert set(np.unique(out[:, 24:])) == {0, 255}
    assert (out[1::2, 24:] == out[:-1:2, 24:]).all()


def test_a_preview_has_the_source_at_the_left(tmp_path):
    source = make(tmp_path / "in.mp4")
    interpolate_video(source, tmp_path / "out", preview=True)
    interpolate_video(source, tmp_path / "plain")
    out, plain = read_frames(tmp_path / "out")[0], read_frames(tmp_path / "plain")[0]
    given = read_frames(source)[0]
    assert (out[..., 48:, :] == plain).all()
    assert (out[::2, :, :48] == given).all()
    assert (out[1::2, :, :48] == given[:-1]).all()
