"""Conversion between decoded frames and RGB arrays, identical for every frame.

FFmpeg's swscale is used only to resample chroma. Its conversions to and from RGB shift the mean by
up to one level (full-range chroma and 16-bit luma by half a level), which is visible as a tint and
as flicker between original and new frames. The matrices below are exact.
"""

import dataclasses
import functools
from fractions import Fraction
from typing import Any

import av
import av.filter
import cv2
import numpy as np
from av.video.reformatter import Interpolation

UNKNOWN = 2  # FFmpeg's code for an untagged matrix, transfer or primaries
PQ, HLG = 16, 18  # FFmpeg's codes for transfers of high dynamic range (SMPTE ST 2084, BT.2100)
HDR = (PQ, HLG)
LINEAR, SRGB = 8, 13  # FFmpeg's codes for linear light and for the curve of IEC 61966-2-1
HLG_A, HLG_B, HLG_C = 0.17883277, 0.28466892, 0.55991073  # of BT.2100
LIMITED, FULL = 1, 2  # FFmpeg's codes for ranges
RGB, BT709, BT601 = 0, 1, 5  # FFmpeg's codes for matrices
HD_HEIGHT = 720  # untagged video of at least this height is BT.709 by convention, else BT.601

# Shares of red and blue in luma, by FFmpeg's code of the matrix (ITU-T H.273, table 4).
LUMA = {
    1: (0.2126, 0.0722),  # BT.709
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.601, 625 lines
    6: (0.299, 0.114),  # BT.601, 525 lines
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020
    10: (0.2627, 0.0593),  # BT.2020, constant luminance
}

# Without these flags swscale uses the nearest chroma sample and rounds down.
CHROMA = int(
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)


@dataclasses.dataclass(frozen=True)
class Tags:
    """Colour tags of a stream in FFmpeg's codes; 2 means unknown, 0 for the range."""

    range: int = 0
    matrix: int = UNKNOWN
    primaries: int = UNKNOWN
    transfer: int = UNKNOWN

    @classmethod
    def of(cls, frame: av.VideoFrame) -> "Tags":
        """The tags of a decoded frame; FFmpeg regards RGB and grey frames as full range."""
        name = frame.format.name
        if is_rgb(frame.format):
            return cls(FULL, RGB, int(frame.color_primaries), int(frame.color_trc))
        full = FULL if name.startswith(("yuvj", "gray", "ya")) else 0
        return cls(
            int(frame.color_range) or full,
            int(frame.colorspace),
            int(frame.color_primaries),
            int(frame.color_trc),
        )

    def for_yuv(self) -> "Tags":
        """The tags for encoding as Y'CbCr: RGB is written as limited-range BT.709."""
        if self.matrix != RGB:
            return self
        primaries, transfer = (
            BT709 if code == UNKNOWN else code for code in (self.primaries, self.transfer)
        )
        return Tags(LIMITED, BT709, primaries, transfer)

    def stamp(self, target: Any) -> None:
        """Set the tags on a frame or on an encoder's context."""
        target.color_range, target.colorspace = self.range, self.matrix
        target.color_primaries, target.color_trc = self.primaries, self.transfer


def is_rgb(pixel_format: Any) -> bool:
    """Whether a `VideoFormat` is RGB or a palette of RGB, not Y'CbCr."""
    return pixel_format.is_rgb or pixel_format.has_palette


def has_alpha(pixel_format: Any) -> bool:
    """Whether a `VideoFormat` has transparency."""
    name = pixel_format.name
    return any(part in name for part in ("yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya"))


def bits_of(pixel_format: Any) -> int:
    """Bit depth of a `VideoFormat`: that of its deepest channel."""
    return max(component.bits for component in pixel_format.components)


def chroma_of(pixel_format: Any) -> str:
    """Chroma subsampling of a `VideoFormat`: "420" (also grey), "422" or "444"; or "rgb"."""
    if is_rgb(pixel_format):
        return "rgb"
    if len(pixel_format.components) < 3:
        return "420"
    width, height = pixel_format.chroma_width(16), pixel_format.chroma_height(16)
    return {(8, 8): "420", (16, 16): "444"}.get((width, height), "422")


def to_array(frame: av.VideoFrame, tags: Tags, *, bits: int, alpha: bool) -> np.ndarray:
    """Convert a decoded frame to an array.

    Args:
      frame: a frame in any pixel format.
      tags: its colour tags.
      bits: 8 for uint8, more for uint16.
      alpha: include alpha as the fourth channel.

    Returns:
      `[H, W, 3 or 4]` uint8 or uint16; white is 255 or 65535.
    """
    if is_rgb(frame.format):
        return frame.reformat(format=_array_format(bits > 8, alpha)).to_ndarray()
    depth = _depth(bits_of(frame.format))
    planes = _planes(_resample(frame, _middle(depth, alpha), tags))
    largest = 65535 if bits > 8 else 255
    matrix = np.linalg.inv(_to_levels(tags, frame.height, depth, largest))[:3]
    colour = _transform(planes[..., :3], matrix, bits > 8)
    if not alpha:
        return colour
    opacity = _transform(planes[..., 3:], [[largest / (2**depth - 1)]], bits > 8)
    return np.concatenate([colour, opacity], axis=-1)


class Writer:
    """Converts arrays to frames for an encoder: the inverse of `to_array`.

    Chroma is sited at every second column, the default of MPEG-2 and its successors. swscale would
    centre it between columns, a quarter of a pixel from the position that decoders assume.

    Args:
      width: width of the frames in pixels.
      height: height of the frames in pixels.
      pixel_format: FFmpeg's name of the encoder's pixel format.
      tags: colour tags of the output.
    """

    def __init__(self, width: int, height: int, pixel_format: str, tags: Tags):
        self._target = av.VideoFormat(pixel_format)
        self._height, self._tags = height, tags
        if not is_rgb(self._target):
            self._depth = _depth(bits_of(self._target))
            self._middle = _middle(self._depth, has_alpha(self._target))
            self._sited = _siting(width, height, self._middle)

    def __call__(self, pixels: np.ndarray) -> av.VideoFrame:
        """Convert `[H, W, C]` uint8 or uint16; C is 4 if the format has alpha."""
        largest = int(np.iinfo(pixels.dtype).max)
        if is_rgb(self._target):
            array_format = _array_format(largest > 255, pixels.shape[-1] == 4)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), array_format)
            return frame.reformat(format=self._target.name)
        depth = self._depth
        matrix = _to_levels(self._tags, self._height, depth, largest)[:3]
        planes = _transform(pixels[..., :3], matrix, depth > 8)
        if pixels.shape[-1] == 4:
            opacity = _transform(pixels[..., 3:], [[(2**depth - 1) / largest]], depth > 8)
            planes = np.concatenate([planes, opacity], axis=-1)
        self._sited.vpush(_framed(planes, self._middle))
        return _resample(self._sited.vpull(), self._target.name, self._tags)


def white(pixels: np.ndarray) -> int:
    """The value of white: the largest integer of the type, or 1 for floats."""
    return 1 if pixels.dtype == np.float32 else int(np.iinfo(pixels.dtype).max)


def over_black(pixels: np.ndarray) -> np.ndarray:
    """Composite `[H, W, 4]` over black: `[H, W, 3]` of the same type. Floats are premultiplied."""
    if pixels.dtype == np.float32:
        return np.ascontiguousarray(pixels[..., :3])
    colour = pixels[..., :3] * (pixels[..., 3:] / np.float32(np.iinfo(pixels.dtype).max))
    return np.rint(colour).astype(pixels.dtype)


@functools.cache
def _to_levels(tags, height, depth, largest):
    """Affine 4x4 matrix from RGB (white at `largest`) to Y'CbCr levels of `depth` bits."""
    unit = 2.0 ** (depth - 8)
    code = tags.matrix if tags.matrix in LUMA else (BT709 if height >= HD_HEIGHT else BT601)
    red, blue = LUMA[code]
    luma = np.array([red, 1 - red - blue, blue])
    chroma_blue = (np.array([0, 0, 1]) - luma) / (2 * (1 - blue))
    chroma_red = (np.array([1, 0, 0]) - luma) / (2 * (1 - red))
    full = tags.range == FULL
    luma_span, chroma_span = (2**depth - 1,) * 2 if full else (219 * unit, 224 * unit)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack(
        [luma_span * luma, chroma_span * chroma_blue, chroma_span * chroma_red]
    )
    matrix[:3, :3] /= largest
    matrix[:3, 3] = (0 if full else 16 * unit), 128 * unit, 128 * unit
    return matrix


def _transform(pixels, matrix, deep):
    """matrix @ pixel for every pixel, rounded and clipped to uint8 or uint16."""
    values = cv2.transform(np.ascontiguousarray(pixels, np.float32), np.asarray(matrix, np.float32))
    values = cv2.add(values, 0.0, dtype=cv2.CV_16U if deep else cv2.CV_8U)
    return values.reshape(*pixels.shape[:2], -1)


def _resample(frame, pixel_format, tags):
    """The frame with resampled chroma; matrix and range do not change."""
    if frame.format.name == pixel_format:
        return frame
    code, full = tags.matrix if tags.matrix in LUMA else BT601, tags.range or LIMITED
    return frame.reformat(
        format=pixel_format,
        interpolation=CHROMA,
        src_colorspace=code,
        dst_colorspace=code,
        src_color_range=full,
        dst_color_range=full,
    )


def _siting(width, height, pixel_format):
    """A filter graph that marks the chroma of frames as sited at the left of two columns."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=width,
        height=height,
        format=av.VideoFormat(pixel_format),
        time_base=Fraction(1),
    )
    mark = graph.add("setparams", chroma_location="left")
    graph.link_nodes(source, mark, graph.add("buffersink")).configure()
    return graph


def _planes(frame):
    """The planes of a 4:4:4 frame, `[H, W, planes]`."""
    kind = np.uint8 if bits_of(frame.format) == 8 else np.uint16
    rows = (np.frombuffer(plane, kind).reshape(frame.height, -1) for plane in frame.planes)
    return cv2.merge([plane[:, : frame.width] for plane in rows])


def _framed(planes, pixel_format):
    """The inverse of `_planes`."""
    height, width, _ = planes.shape
    frame = av.VideoFrame(width, height, pixel_format)
    for plane, values in zip(frame.planes, cv2.split(planes), strict=True):
        padding = plane.line_size // planes.itemsize - width
        plane.update(np.pad(values, ((0, 0), (0, padding))) if padding else values)
    return frame


def _middle(depth, alpha):
    return f"yuv{'a' if alpha else ''}444p" + ("" if depth == 8 else f"{depth}le")


def _depth(bits):
    """The smallest sufficient depth of 8, 10, 12 and 16 bits, which have 4:4:4 formats."""
    return next(depth for depth in (8, 10, 12, 16) if bits <= depth)


def _array_format(deep, alpha):
    return {
        (False, False): "rgb24",
        (False, True): "rgba",
        (True, False): "rgb48le",
        (True, True): "rgba64le",
    }[deep, alpha]
