"""A clip: what every data set is made of."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

Frame = Path | np.ndarray | Callable[[], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Clip:
    """Consecutive frames at equal distances in time.

    Attributes:
      name: unique in its data set; "/"-separated as the published lists write it.
      frames: image files, uint8 arrays `[H, W, 3]` in RGB, or functions that read such an array.
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
      frame: an image file (8 or 16 bit, grey or colour; alpha is dropped), an array, or a function
        that reads one.

    Raises:
      ValueError: the file is missing or no image.
    """
    if isinstance(frame, np.ndarray):
        return frame
    if callable(frame):
        return frame()
    if not frame.exists():  # which OpenCV would warn of besides
        raise ValueError(f"frame {frame} does not exist")
    image = cv2.imread(str(frame), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"frame {frame} is not an image that OpenCV can read")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def read_shrunk(frame: Frame, *, size: tuple[int, int]) -> np.ndarray:
    """A frame resized to (height, width) by averaging areas, as the 4K sets are scored at 2K."""
    return cv2.resize(read_frame(frame), size[::-1], interpolation=cv2.INTER_AREA)


def encode_frame(frame: Frame) -> bytes:
    """A frame as the bytes of an image file: a file's own, an array's as lossless PNG."""
    if isinstance(frame, Path):
        return frame.read_bytes()
    image = read_frame(frame)
    done, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError(f"frame of shape {image.shape} and type {image.dtype} cannot be encoded")
    return data.tobytes()


def decode_frame(data: bytes) -> np.ndarray:
    """The bytes of an image file as uint8 `[H, W, 3]`, RGB.

    Raises:
      ValueError: the bytes are no image.
    """
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{len(data)} bytes are not an image that OpenCV can read")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
