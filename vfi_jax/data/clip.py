"""A clip: what every data set is made of."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from vfi_jax import images

Frame = Path | bytes | np.ndarray | Callable[[], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Clip:
    """Consecutive frames at equal distances in time.

    Attributes:
      name: unique in its data set; "/"-separated as the published lists write it.
      frames: image files or their bytes, uint8 arrays `[H, W, 3]` in RGB, or functions that read
        such an array.
      inputs: indices of the frames that an evaluation gives the model; the others are its targets.
        Empty: the first and the last.
      low: frames of the published low-resolution version, where the set has one.
      mask: the published motion mask, where the set has one.
    """

    name: str
    frames: tuple[Frame, ...]
    inputs: tuple[int, ...] = ()
    low: tuple[Frame, ...] = ()
    mask: Frame | None = None


def pieces(clip: Clip, frames: int, shortest: int = 3) -> Iterator[Clip]:
    """A clip cut into runs of `frames` frames; what is shorter than `shortest` is left out."""
    for start in range(0, len(clip.frames), frames):
        part = clip.frames[start : start + frames]
        if len(part) >= shortest:
            yield Clip(f"{clip.name}+{start}" if start else clip.name, part)


def read_frame(frame: Frame) -> np.ndarray:
    """A frame as uint8 `[H, W, 3]`, RGB.

    Args:
      frame: an image file of any depth, grey or colour; alpha is dropped. Or the bytes of one, an
        array, or a function that reads one.

    Raises:
      ValueError: the file is missing or no image.
    """
    if isinstance(frame, np.ndarray):
        return frame
    if callable(frame):
        return frame()
    return images.read(frame)


def read_shrunk(frame: Frame, *, size: tuple[int, int]) -> np.ndarray:
    """A frame resized to (height, width) by averaging areas, as the 4K sets are scored at 2K."""
    return cv2.resize(read_frame(frame), size[::-1], interpolation=cv2.INTER_AREA)


def encode_frame(frame: Frame) -> bytes:
    """A frame as the bytes of an image file: a file's own, an array's as lossless PNG."""
    return frame.read_bytes() if isinstance(frame, Path) else images.encode(read_frame(frame))
