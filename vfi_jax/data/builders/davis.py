"""DAVIS 2017 (Pont-Tuset et al. 2017, arXiv:1704.00675): short videos at 480 rows."""

from collections.abc import Iterator
from pathlib import Path

from vfi_jax import images
from vfi_jax.data import layout, sample_tree
from vfi_jax.data.clip import Clip

LAYOUT = """\
JPEGImages/480p/bear/00000.jpg ..
ImageSets/2017/train.txt val.txt       one video name per line"""
SPLITS = ("train", "val")


def clips(root: Path, split: str) -> Iterator[Clip]:
    """Complete videos of the published lists.

    Args:
      root: `DAVIS` or its parent.
      split: "train" (60 videos) or "val" (30).
    """
    home = layout.find(root, "DAVIS", ".", layout=LAYOUT)
    listed = layout.find(home, f"ImageSets/2017/{split}.txt", layout=LAYOUT)
    frames = layout.find(home, "JPEGImages/480p", "JPEGImages/Full-Resolution", layout=LAYOUT)
    for name in layout.lines(listed):
        folder = layout.find(frames, name, layout=LAYOUT)
        yield Clip(name, tuple(images.list_images(folder)))


def sample(root: Path, variant: str = "") -> None:
    """Write a tiny video of each split."""
    for split, name in (("train", "bear"), ("val", "goat")):
        sample_tree.lines(root / f"ImageSets/2017/{split}.txt", name)
        files = [f"{i:05d}.jpg" for i in range(4)]
        sample_tree.pictures(root / "JPEGImages/480p" / name, files)
