"""From decoded pictures to RGB arrays and back, the same way for every frame."""

import dataclasses
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation

UNKNOWN = 2  # FFmpeg's code for an untagged matrix, transfer or primaries
LIMITED, FULL = 1, 2  # FFmpeg's codes for ranges
RGB, BT709, BT601 = 0, 1, 5  # FFmpeg's codes for matrices
HD_HEIGHT = 720  # untagged video of at least this height is BT.709 by convention, else BT.601

# swscale's defaults round down, which darkens each passage by a level, and take the nearest chroma
# sample; with these a passage to RGB and back moves the mean by less than 0.03 of 255.
EXACT = int(
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)


@dataclasses.dataclass(frozen=True)
class Tags:
    """What a stream says about its colours, in FFmpeg's codes; 2 is unknown, for the range 0."""

    range: int = 0
    matrix: int = UNKNOWN
    primaries: int = UNKNOWN
    transfer: int = UNKNOWN

    @classmethod
    def of(cls, frame: av.VideoFrame) -> "Tags":
        """The tags of a decoded frame."""
        full = FULL if frame.format.name.startswith("yuvj") else 0
        return cls(
            int(frame.color_range) or full,
            int(frame.colorspace),
            int(frame.color_primaries),
            int(frame.color_trc),
        )

    def for_yuv(self) -> "Tags":
        """The tags of Y'CbCr video that holds these pictures: RGB is written as limited BT.709."""
        if self.matrix != RGB:
            return self
        return Tags(LIMITED, BT709, BT709, self.transfer if self.transfer != UNKNOWN else BT709)

    def codes(self, height: int) -> dict[str, int]:
        """`src_` and `dst_` arguments' values: (matrix, range), with conventions for unknown ones."""
        matrix = self.matrix
        if matrix in (UNKNOWN, RGB):
            matrix = BT709 if height >= HD_HEIGHT else BT601
        return {"colorspace": matrix, "color_range": self.range or LIMITED}

    def stamp(self, target: Any) -> None:
        """Write the tags onto an encoder's context."""
        target.color_range, target.colorspace = self.range, self.matrix
        target.color_primaries, target.color_trc = self.primaries, self.transfer


def is_rgb(pixel_format: Any) -> bool:
    """Whether a `VideoFormat` holds RGB (or a palette of it) rather than Y'CbCr."""
    return pixel_format.is_rgb or pixel_format.has_palette


def has_alpha(pixel_format: Any) -> bool:
    """Whether a `VideoFormat` has transparency."""
    name = pixel_format.name
    return any(part in name for part in ("yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya"))


def to_array(frame: av.VideoFrame, tags: Tags, *, bits: int, alpha: bool) -> np.ndarray:
    """A decoded frame as an array.

    Args:
      frame: in any pixel format.
      tags: how to read it.
      bits: 8, or more for uint16.
      alpha: with a fourth channel.

    Returns:
      `[H, W, 3 or 4]` uint8 or uint16, full range.
    """
    picture = frame.reformat(
        format=_array_format(bits, alpha),
        interpolation=EXACT,
        dst_color_range=FULL,
        **_side("src", frame.format, tags, frame.height),
    )
    return picture.to_ndarray()


def to_frame(pixels: np.ndarray, pixel_format: str, tags: Tags) -> av.VideoFrame:
    """An array as a frame for the encoder: the inverse of `to_array`.

    Args:
      pixels: `[H, W, 3 or 4]` uint8 or uint16.
      pixel_format: of the encoder.
      tags: how to write it.
    """
    bits, alpha = 8 * pixels.dtype.itemsize, pixels.shape[-1] == 4
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), _array_format(bits, alpha))
    if frame.format.name == pixel_format:
        return frame
    target = av.VideoFormat(pixel_format)
    return frame.reformat(
        format=pixel_format,
        interpolation=EXACT,
        src_color_range=FULL,
        **_side("dst", target, tags, frame.height),
    )


def over_black(pixels: np.ndarray) -> np.ndarray:
    """`[H, W, 4]` laid over black: `[H, W, 3]` of the same type."""
    largest = np.iinfo(pixels.dtype).max
    colour = pixels[..., :3] * (pixels[..., 3:] / np.float32(largest))
    return np.rint(colour).astype(pixels.dtype)


def _array_format(bits, alpha):
    return {
        (False, False): "rgb24",
        (False, True): "rgba",
        (True, False): "rgb48le",
        (True, True): "rgba64le",
    }[bits > 8, alpha]


def _side(side, pixel_format, tags, height):
    if is_rgb(pixel_format):
        return {f"{side}_color_range": FULL}
    return {f"{side}_{name}": code for name, code in tags.codes(height).items()}
