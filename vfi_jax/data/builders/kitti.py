"""KITTI raw (Geiger et al. 2013): drives at 10 frames per second, about 1242x375, in colour."""

from collections.abc import Iterator
from pathlib import Path

from vfi_jax import images
from vfi_jax.data import layout, sample_tree
from vfi_jax.data.clip import Clip

LAYOUT = """\
2011_09_26/2011_09_26_drive_0001_sync/image_02/data/0000000000.png ..     and image_03"""
SPLITS = ("train", "val")  # every tenth drive; no split for interpolation is published


def clips(root: Path, split: str) -> Iterator[Clip]:
    """Complete drives of both colour cameras.

    Args:
      root: contains the folders of the days.
      split: "val" is every tenth drive by name (or the last if there are fewer), "train" the
        others.
    """
    if not root.exists():
        raise layout.wrong(root, "", LAYOUT)
    drives = images.natural(root.glob("*/*_drive_*_sync"))
    if not drives:
        raise layout.wrong(root, "there are no drives", LAYOUT)
    for drive in layout.part(drives, split):
        for camera in images.natural(drive.glob("image_0[23]")):
            yield Clip(f"{drive.name}/{camera.name}", tuple(images.list_images(camera / "data")))


def sample(root: Path, variant: str = "") -> None:
    """Write two tiny drives, the last of which validates."""
    for drive in range(2):
        folder = root / f"2011_09_26/2011_09_26_drive_{drive:04d}_sync/image_02/data"
        sample_tree.pictures(folder, [f"{i:010d}.png" for i in range(3)])
