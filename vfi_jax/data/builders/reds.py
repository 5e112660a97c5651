"""REDS (Nah et al. 2019): 270 clips of 100 frames, 1280x720, with published LR frames."""

from collections.abc import Iterator
from pathlib import Path

from vfi_jax import images
from vfi_jax.data import layout, sample_tree
from vfi_jax.data.clip import Clip

LAYOUT = """\
train_sharp/000/00000000.png .. 00000099.png     240 clips
train_sharp_bicubic/X4/000/00000000.png ..       optional
val_sharp/000/ ..                                30 clips, and val_sharp_bicubic/X4"""
SPLITS = ("train", "val", "test")

REDS4 = ("000", "011", "015", "020")  # training clips commonly held out as a test set


def clips(root: Path, split: str) -> Iterator[Clip]:
    """Complete clips.

    Args:
      root: contains `train_sharp` and `val_sharp`.
      split: "train" excludes REDS4, "test" is REDS4, "val" the official validation set.
    """
    part = "val" if split == "val" else "train"
    home = layout.find(root, f"{part}_sharp", layout=LAYOUT)
    low = root / f"{part}_sharp_bicubic/X4"
    for folder in images.list_folders(home):
        if split != "val" and (folder.name in REDS4) != (split == "test"):
            continue
        small = images.list_images(low / folder.name) if (low / folder.name).exists() else ()
        yield Clip(folder.name, tuple(images.list_images(folder)), low=tuple(small))


def sample(root: Path, variant: str = "") -> None:
    """Write three tiny clips: one each for training, REDS4 and validation."""
    files = [f"{i:08d}.png" for i in range(5)]
    for clip in ("000", "001"):
        sample_tree.pictures(root / "train_sharp" / clip, files)
        sample_tree.pictures(root / "train_sharp_bicubic/X4" / clip, files)
    sample_tree.pictures(root / "val_sharp/000", files)
