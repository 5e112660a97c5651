"""MPI Sintel (Butler et al. 2012): rendered scenes, 1024x436, 24 frames per second."""

from collections.abc import Iterator
from pathlib import Path

from vfi_jax import images
from vfi_jax.data import layout, sample_tree
from vfi_jax.data.clip import Clip

LAYOUT = """\
training/clean/alley_1/frame_0001.png ..     and training/final, 23 scenes
test/clean/ambush_1/frame_0001.png ..        and test/final, 12 scenes"""
SPLITS = ("train", "test")
VARIANTS = ("clean", "final")


def clips(root: Path, split: str, *, variant: str) -> Iterator[Clip]:
    """Complete scenes.

    Args:
      root: contains `training` and `test`.
      split: "train" or "test".
      variant: the render pass, "clean" or "final".
    """
    part = "training" if split == "train" else "test"
    home = layout.find(root, f"{part}/{variant}", layout=LAYOUT)
    for folder in images.list_folders(home):
        yield Clip(f"{variant}/{folder.name}", tuple(images.list_images(folder)))


def sample(root: Path, variant: str) -> None:
    """Write a tiny scene of each split."""
    for part, name in (("training", "alley_1"), ("test", "ambush_1")):
        files = [f"frame_{i:04d}.png" for i in range(1, 5)]
        sample_tree.pictures(root / part / variant / name, files)
