"""Clips, the elements of every data set."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from vfi_jax import images
from vfi_jax.data.faults import Unreadable

Frame = Path | bytes | np.ndarray | Callable[[], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Clip:
    """Consecutive frames at constant time steps.

    Attributes:
      name: unique in its data set; "/"-separated as in the published lists.
      frames: image files or their bytes, uint8 arrays `[H, W, 3]` in RGB, or functions that return
        such an array.
      inputs: indices of the model's input frames in an evaluation; the others are targets.
        Empty: the first and the last.
      low: frames of the published low-resolution version, where the set has one.
      mask: the published motion mask, if any.
      size: height and width, for frames that must be decoded to know them.
    """

    name: str
    frames: tuple[Frame, ...]
    inputs: tuple[int, ...] = ()
    low: tuple[Frame, ...] = ()
    mask: Frame | None = None
    size: tuple[int, int] | None = None

    def __post_init__(self):
        count = len(self.frames)
        if not count:
            raise ValueError(f"clip {self.name} has no frames")
        ascending = list(self.inputs) == sorted(set(self.inputs)) and len(self.inputs) != 1
        if not ascending or not set(self.inputs) <= set(range(count)):
            raise ValueError(
                f"clip {self.name}: inputs must be two or more ascending indices < {count}, got "
                f"{self.inputs}"
            )
        if self.low and len(self.low) != count:
            raise ValueError(
                f"clip {self.name} has {count} frames, but {len(self.low)} in low resolution"
            )
        _check_shapes(self.name, [one for one in self.frames if isinstance(one, np.ndarray)])


def pieces(clip: Clip, frames: int, shortest: int = 3) -> Iterator[Clip]:
    """Split a clip into pieces of `frames` frames; pieces shorter than `shortest` are dropped."""
    for start in range(0, len(clip.frames), frames):
        part = clip.frames[start : start + frames]
        if len(part) >= shortest:
            yield Clip(f"{clip.name}+{start}" if start else clip.name, part, size=clip.size)


def read_frame(frame: Frame) -> np.ndarray:
    """A frame as uint8 `[H, W, 3]`, RGB.

    Args:
      frame: an image file of any bit depth, grey or colour (alpha is dropped), its bytes, an array,
        or a function that returns one.

    Raises:
      ValueError: the file is missing or not an image.
    """
    if isinstance(frame, np.ndarray):
        return frame
    if callable(frame):
        return frame()
    return images.read(frame)


def read_frames(clip: Clip, frames: Sequence[Frame]) -> np.ndarray:
    """Some frames of a clip as uint8 `[N, H, W, 3]`.

    Args:
      clip: the clip, named in errors.
      frames: some of its `frames` or of its `low`, at least one.

    Raises:
      Unreadable: a frame cannot be read, or their sizes differ.
    """
    try:
        pixels = [read_frame(frame) for frame in frames]
    except (ValueError, OSError) as error:
        raise Unreadable(f"clip {clip.name}: {error}") from error
    _check_shapes(clip.name, pixels)
    return np.stack(pixels)


def read_shrunk(frame: Frame, *, size: tuple[int, int]) -> np.ndarray:
    """A frame resized to (height, width) by area averaging, as in 2K evaluation of 4K sets."""
    return cv2.resize(read_frame(frame), size[::-1], interpolation=cv2.INTER_AREA)


def encode_frame(frame: Frame) -> bytes:
    """A frame as the bytes of an image file: unchanged for files, lossless PNG for arrays."""
    return frame.read_bytes() if isinstance(frame, Path) else images.encode(read_frame(frame))


def _check_shapes(name, pixels):
    shapes = sorted({one.shape for one in pixels})
    if len(shapes) > 1:
        raise Unreadable(f"clip {name} has frames of {shapes[0]} and {shapes[-1]}")
