"""Eight 4K clips of Xiph.org, as evaluated by softmax splatting (Niklaus and Liu 2020)."""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vfi_jax.data import layout, sample_tree
from vfi_jax.data.clip import Clip, read_frame, read_shrunk

LAYOUT = """\
BoxingPractice-001.png .. BoxingPractice-100.png, likewise Crosswalk DrivingPOV FoodMarket
FoodMarket2 RitualDance SquareAndTimelapse Tango: the first 100 frames of each
Netflix_<name>_4096x2160_60fps_10bit_420.y4m as 8-bit RGB
(ffmpeg -i URL -pix_fmt rgb24 -vframes 100 <name>-%03d.png)"""
SPLITS = ("test",)
VARIANTS = ("2k", "4k")

NAMES = (
    "BoxingPractice",
    "Crosswalk",
    "DrivingPOV",
    "FoodMarket",
    "FoodMarket2",
    "RitualDance",
    "SquareAndTimelapse",
    "Tango",
)
MIDDLES = range(2, 99, 2)  # every second of 100 frames is a target


def clips(root: Path, split: str, *, variant: str) -> Iterator[Clip]:
    """49 triplets of each clip, 2048x1080.

    Args:
      root: contains the PNG files.
      split: "test".
      variant: "2k" halves the frames (area), "4k" crops their centre.
    """
    read = functools.partial(read_shrunk, size=(1080, 2048)) if variant == "2k" else _centre
    for name in NAMES:
        layout.find(root, f"{name}-001.png", layout=LAYOUT)
        for middle in MIDDLES:
            files = (root / f"{name}-{middle + step:03d}.png" for step in (-1, 0, 1))
            frames = tuple(functools.partial(read, file) for file in files)
            yield Clip(f"{name}/{middle:03d}", frames)


def sample(root: Path, variant: str) -> None:
    """Write the first four frames of one video, which form two triplets, and one of every other."""
    first = [f"{NAMES[0]}-{i:03d}.png" for i in range(1, 6)]
    sample_tree.pictures(root, first, size=(1104, 2080))
    for name in NAMES[1:]:
        sample_tree.picture(root / f"{name}-001.png")


def _centre(file: Path) -> np.ndarray:
    return read_frame(file)[540:-540, 1024:-1024]
