"""Lengths and sizes of clips, and whether a crop fits into them."""

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from vfi_jax import images
from vfi_jax.data.clip import Clip, read_frame
from vfi_jax.data.faults import Unreadable

Size = tuple[int, int]
THREADS = 16  # headers are read in parallel: on a network file system reading means waiting
SHOWN = 10  # groups of clips named in a warning


class Measured(NamedTuple):
    """Facts of a clip.

    Attributes:
      name: its name.
      frames: number of frames.
      size: height and width of its first frame; None if that cannot be read.
    """

    name: str
    frames: int
    size: Size | None


def measure(clips: Sequence[Clip]) -> list[Measured]:
    """Measure clips; of image files only the header is read."""
    # By index, so that the records of a built set are not all in memory at once.
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda index: _measured(clips[index]), range(len(clips))))


def fits(crop: Size, size: Size) -> bool:
    """Whether a crop fits into a frame."""
    return crop[0] <= size[0] and crop[1] <= size[1]


def check(crop: Size, name: str, size: Size | None) -> None:
    """Check that a crop fits into a clip.

    Args:
      crop: height and width.
      name: name of the clip.
      size: height and width of its frames; None if unknown.

    Raises:
      Unreadable: it does not fit.
    """
    if size and not fits(crop, size):
        raise Unreadable(
            f"crop {crop} does not fit into clip {name} of {size}; "
            "use a smaller crop or larger clips"
        )


def listed(names: Sequence[str]) -> str:
    """The names of clips for a message; those of one video or folder share an entry."""
    entries = []
    for parent, group in itertools.groupby(sorted(names), lambda name: name.rpartition("/")[0]):
        alike = list(group)
        entries += [f"{parent}/* ({len(alike)})"] if parent and len(alike) > 1 else alike
    more = f" and {len(entries) - SHOWN} more" if len(entries) > SHOWN else ""
    return ", ".join(entries[:SHOWN]) + more


def _measured(clip):
    return Measured(clip.name, len(clip.frames), _size(clip))


def _size(clip):
    if clip.size is not None:
        return clip.size
    frame = clip.frames[0]
    try:
        if isinstance(frame, Path):
            width, height = images.read_info(frame).size
            return height, width
        height, width, _ = read_frame(frame).shape
    except (ValueError, OSError):
        return None
    return height, width
