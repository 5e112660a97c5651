"""X4K1000FPS (Sim et al. 2021, XVFI, arXiv:2103.16206): 1000 frames per second."""

import functools
from collections.abc import Iterator
from pathlib import Path

from vfi_jax import images
from vfi_jax.data import layout, sample_tree
from vfi_jax.data.clip import Clip, read_shrunk

LAYOUT = """\
train/<scene>/occ008.320/0000.png .. 0064.png       768x768, decoded from the encoded_*.tar.gz
val/Type1/TEST01/..                                 as test
test/Type1/TEST01_../0000.png .. 0032.png           4096x2160, Type1 to Type3, 15 clips"""
SPLITS = ("train", "val", "test")
VARIANTS = ("4k", "2k")

STRIDE = 4  # targets of X-TEST are frames 4, 8, .. 28 between 0 and 32


def clips(root: Path, split: str, *, variant: str) -> Iterator[Clip]:
    """All 65 frames of training clips; every fourth frame of test clips, with the ends as inputs.

    Args:
      root: contains `train` and `test`.
      split: "train", "val" or "test".
      variant: "2k" resizes test frames to 2048x1080 (area); training clips are unchanged.
    """
    home = layout.find(root, split, layout=LAYOUT)
    found = [clip for scene in images.list_folders(home) for clip in images.list_folders(scene)]
    if not found:
        raise layout.wrong(home, "it has no folders of clips", LAYOUT)
    for folder in found:
        files = images.list_images(folder)
        frames: tuple = tuple(files if split == "train" else files[::STRIDE])
        if variant == "2k" and split != "train":
            frames = tuple(
                functools.partial(read_shrunk, file, size=(1080, 2048)) for file in frames
            )
        yield Clip(f"{folder.parent.name}/{folder.name}", frames)


def sample(root: Path, variant: str) -> None:
    """Write tiny clips: two for training, one for validation and one for testing."""
    files = [f"{i:04d}.png" for i in range(33)]
    for folder in ("train/002/occ008.320", "train/003/occ008.320"):
        sample_tree.pictures(root / folder, files)
    for split in ("val", "test"):
        sample_tree.pictures(root / split / "Type1/TEST01", files)
