"""GoPro (Nah et al. 2017, arXiv:1612.02177): 240 frames per second, 1280x720."""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vfi_jax import images
from vfi_jax.data import layout, sample_tree
from vfi_jax.data.clip import Clip, read_frame

LAYOUT = """\
train/GOPR0372_07_00/000001.png ..     22 videos
test/GOPR0384_11_00/000001.png ..      11 videos"""
SPLITS = ("train", "test")

LENGTH = 9  # frames per clip: two inputs and seven between, for 8x slow motion
CROP = 512  # centre crop of the test frames, as in IFRNet and AMT


def clips(root: Path, split: str) -> Iterator[Clip]:
    """Clips of nine frames that share their end frames.

    Args:
      root: contains `train` and `test`.
      split: "train", or "test" with a centre crop of 512x512.
    """
    home = layout.find(root, split, layout=LAYOUT)
    for folder in images.list_folders(home):
        files = images.list_images(folder / "sharp" if (folder / "sharp").exists() else folder)
        for start in range(0, len(files) - LENGTH + 1, LENGTH - 1):
            frames: tuple = tuple(files[start : start + LENGTH])
            if split == "test":
                frames = tuple(functools.partial(_centre, file) for file in frames)
            yield Clip(f"{folder.name}/{files[start].stem}", frames)


def sample(root: Path, variant: str = "") -> None:
    """Write two tiny clips of each split."""
    for part, video in (("train", "GOPR0372_07_00"), ("test", "GOPR0384_11_00")):
        files = [f"{i:06d}.png" for i in range(1, 2 * LENGTH)]
        sample_tree.pictures(root / part / video, files)


def _centre(file: Path) -> np.ndarray:
    frame = read_frame(file)
    top, left = (frame.shape[0] - CROP) // 2, (frame.shape[1] - CROP) // 2
    return frame[top : top + CROP, left : left + CROP]
