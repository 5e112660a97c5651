import av
import numpy as np
import pytest

from vfi_jax.video import colour
from vfi_jax.video.colour import FULL, LIMITED, Tags

from .clips import frames

PICTURE = frames(1, height=64, width=96)[0]
DEEP = frames(1, height=64, width=96, dtype=np.uint16)[0]


def _frame(pixels, pixel_format, tags):
    height, width, _ = pixels.shape
    return colour.Writer(width, height, pixel_format, tags)(pixels)


@pytest.mark.parametrize(
    ("tags", "levels"),
    [
        (Tags(LIMITED, 1), (63, 102, 240)),  # 16 + 219 * 0.2126; BT.709
        (Tags(FULL, 1), (54, 99, 256)),
        (Tags(LIMITED, 5), (81, 90, 240)),  # BT.601
        (Tags(LIMITED, 9), (74, 97, 240)),  # BT.2020
        (Tags(), (81, 90, 240)),  # nothing said, small: BT.601, limited
    ],
)
def test_red_has_the_levels_of_the_standard(tags, levels):
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    frame = _frame(red, "yuv444p", tags)
    written = [np.frombuffer(plane, np.uint8)[0] for plane in frame.planes]
    assert written == [min(level, 255) for level in levels]


@pytest.mark.parametrize("matrix", [1, 5, 6, 7, 9])
@pytest.mark.parametrize("side", [LIMITED, FULL])
@pytest.mark.parametrize("pixel_format", ["yuv444p", "yuv444p10le", "yuv444p12le"])
def test_full_chroma_returns_to_within_a_rounding(pixel_format, side, matrix):
    tags, deep = Tags(side, matrix), "0le" in pixel_format or "2le" in pixel_format
    picture = DEEP if deep else PICTURE
    frame = _frame(picture, pixel_format, tags)
    back = colour.to_array(frame, tags, bits=16 if deep else 8, alpha=False)
    # One level of the format, in the array's: chroma is weighted by up to 2.
    level = {"yuv444p": 2, "yuv444p10le": 2 * 65535 / 1023, "yuv444p12le": 2 * 65535 / 4095}
    assert np.abs(back.astype(int) - picture).max() <= level[pixel_format] * 255 / 219


@pytest.mark.parametrize("side", [LIMITED, FULL])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv420p10le", "yuv422p10le"])
def test_no_passage_moves_the_mean(pixel_format, side):
    """Ten passages: a bias of a tenth of a level each would show as one."""
    tags, deep = Tags(side, 1), pixel_format.endswith("10le")
    picture = shown = DEEP if deep else PICTURE
    for _ in range(10):
        frame = _frame(shown, pixel_format, tags)
        shown = colour.to_array(frame, tags, bits=16 if deep else 8, alpha=False)
    moved = (shown.astype(float) - picture).mean(axis=(0, 1)) / (257 if deep else 1)
    assert np.abs(moved).max() < 0.4


@pytest.mark.parametrize("pixel_format", ["yuva444p", "yuva420p", "yuva444p10le", "yuva444p12le"])
def test_alpha_keeps_black_white_and_between(pixel_format):
    deep = pixel_format.endswith("le")
    picture = DEEP if deep else PICTURE
    largest = np.iinfo(picture.dtype).max
    ramp = np.linspace(0, largest, picture.shape[1]).astype(picture.dtype)
    alpha = np.broadcast_to(ramp[None, :, None], (*picture.shape[:2], 1))
    tags = Tags(LIMITED, 1)
    frame = _frame(np.concatenate([picture, alpha], -1), pixel_format, tags)
    back = colour.to_array(frame, tags, bits=16 if deep else 8, alpha=True)[..., 3:]
    assert np.abs(back.astype(int) - alpha).max() <= (largest / 1023 if deep else 0)
    assert back.min() == 0
    assert back.max() == largest


@pytest.mark.parametrize("pixel_format", ["rgb24", "bgr0", "gbrp"])
def test_rgb_passes_untouched(pixel_format):
    frame = _frame(PICTURE, pixel_format, Tags(FULL, colour.RGB))
    tags = Tags.of(frame)
    assert tags.matrix == colour.RGB
    np.testing.assert_array_equal(colour.to_array(frame, tags, bits=8, alpha=False), PICTURE)


def test_grey_becomes_three_equal_channels():
    grey = PICTURE[..., 0].copy()
    frame = av.VideoFrame.from_ndarray(grey, "gray")
    back = colour.to_array(frame, Tags.of(frame), bits=8, alpha=False)
    np.testing.assert_array_equal(back, np.repeat(grey[..., None], 3, -1))


def test_transparent_pictures_are_laid_over_black():
    pixel = np.array([[[200, 100, 50, 128]]], np.uint8)
    np.testing.assert_array_equal(colour.over_black(pixel), [[[100, 50, 25]]])
