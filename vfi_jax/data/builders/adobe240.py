"""Adobe240 (Su et al. 2017, DVD): 240 frames per second, in TMNet's groups of seven frames."""

from collections.abc import Iterator
from pathlib import Path

from vfi_jax import images
from vfi_jax.data import layout, sample_tree
from vfi_jax.data.clip import Clip

LAYOUT = """\
adobe240fps_folder_train.txt adobe240fps_folder_valid.txt adobe240fps_folder_test.txt
frame/<split>/<video>/<0000>/im1.png .. im7.png
the lists contain the videos' folders, one per line"""
SPLITS = ("train", "val", "test")

LISTED = {"train": "train", "val": "valid", "test": "test"}


def clips(root: Path, split: str) -> Iterator[Clip]:
    """Groups of seven consecutive frames, in the lists' order.

    Args:
      root: contains the lists and `frame`.
      split: "train", "val" or "test".
    """
    name = LISTED[split]
    listed = layout.find(root, f"adobe240fps_folder_{name}.txt", layout=LAYOUT)
    home = layout.find(root, f"frame/{name}", layout=LAYOUT)
    for video in layout.lines(listed):
        folder = layout.find(home, video, layout=LAYOUT)
        for group in images.list_folders(folder):
            yield Clip(f"{video}/{group.name}", tuple(images.list_images(group)))


def sample(root: Path, variant: str = "") -> None:
    """Write two tiny groups of each split."""
    for number, part in enumerate(LISTED.values()):
        video = f"IMG_{number:04d}"
        sample_tree.lines(root / f"adobe240fps_folder_{part}.txt", video)
        for group in ("0000", "0001"):
            files = [f"im{i}.png" for i in range(1, 8)]
            sample_tree.pictures(root / "frame" / part / video / group, files)
