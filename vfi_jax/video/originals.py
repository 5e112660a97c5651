"""Source pixels in output frames: those under a mask, and a side-by-side preview."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from vfi_jax import images
from vfi_jax.video.source import Frame


class Originals:
    """Keeps the source's frames until the output has passed their time.

    Args:
      mask: `[H, W]` float32 in [0, 1]; where it is 1, output frames copy the pixels of the source
        frame shown at their time. None: nowhere.
      preview: put the source frame to the left of the output frame.
      then: applied to the result, such as conversion of floats for a display.
    """

    def __init__(
        self,
        mask: np.ndarray | None,
        *,
        preview: bool,
        then: Callable[[np.ndarray], np.ndarray] | None = None,
    ):
        self.mask, self._preview, self._then = mask, preview, then
        self._kept: deque[Frame] = deque()

    def passing(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield the frames and keep them."""
        if self.mask is None and not self._preview:
            yield from frames
            return
        for frame in frames:
            self._kept.append(frame)
            yield frame

    def __call__(self, pixels: np.ndarray, time: Fraction) -> np.ndarray:
        """An output frame with its pixels of the source.

        Args:
          pixels: `[sH, sW, C]`, the output frame.
          time: its presentation time in seconds; ascending from call to call.
        """
        if self._kept:
            pixels = self._with_source(pixels, time)
        return pixels if self._then is None else self._then(pixels)

    def _with_source(self, pixels, time):
        while len(self._kept) > 1 and self._kept[1].time <= time:
            self._kept.popleft()
        original = self._kept[0].pixels
        if self.mask is not None:
            pixels = _copied(pixels, original, self.mask)
        if not self._preview:
            return pixels
        size = pixels.shape[1::-1]
        left = original if original.shape == pixels.shape else cv2.resize(original, size)
        return np.concatenate([left, pixels], axis=1)


def read_mask(parts: Sequence[str], width: int, height: int) -> np.ndarray | None:
    """The union of boxes and images as one mask.

    Args:
      parts: each "X,Y,WIDTH,HEIGHT" in pixels from the top left, or the path of an image, in which
        white is 1.
      width: width of the video in pixels.
      height: height of the video in pixels.

    Returns:
      `[height, width]` float32 in [0, 1]; None if there are no parts.

    Raises:
      ValueError: a box or image does not fit the video.
    """
    if not parts:
        return None
    return np.maximum.reduce([_part(part, width, height) for part in parts])


def _part(text, width, height):
    numbers = text.split(",")
    if len(numbers) == 4 and all(number.strip().isdecimal() for number in numbers):
        left, top, across, down = map(int, numbers)
        if not (across and down and left + across <= width and top + down <= height):
            raise ValueError(f"mask {text} must be a box inside the frame of {width}x{height}")
        mask = np.zeros((height, width), np.float32)
        mask[top : top + down, left : left + across] = 1
        return mask
    if not Path(text).exists():
        raise ValueError(
            f"mask {text!r} is neither a box X,Y,WIDTH,HEIGHT nor an image that exists"
        )
    picture = images.read(Path(text)).astype(np.float32).mean(axis=-1) / 255
    if picture.shape != (height, width):
        raise ValueError(
            f"mask {text} is {picture.shape[1]}x{picture.shape[0]}, the video {width}x{height}"
        )
    return picture


def _copied(pixels, original, mask):
    out = np.where(mask[..., None] == 1, original, pixels)
    soft = (mask > 0) & (mask < 1)
    if soft.any():
        weight = mask[soft, None]
        mean = weight * original[soft] + (1 - weight) * pixels[soft]
        out[soft] = mean if pixels.dtype == np.float32 else np.rint(mean).astype(pixels.dtype)
    return out
