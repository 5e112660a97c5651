"""UCF101's interpolation test set of Deep Voxel Flow (Liu et al. 2017, arXiv:1702.02463)."""

from collections.abc import Iterator
from pathlib import Path

from vfi_jax import images
from vfi_jax.data import layout, sample_tree
from vfi_jax.data.clip import Clip

LAYOUT = """\
ucf101_interp_ours/1/frame_00.png frame_01_gt.png frame_02.png      379 folders: 1, 11, .. 3781
ucf101_motion_masks/1/motion_mask.png                               optional"""
SPLITS = ("test",)


def clips(root: Path, split: str) -> Iterator[Clip]:
    """379 triplets of 256x256, with motion masks if present.

    `frame_01_ours.png` next to the ground truth is Deep Voxel Flow's output and is never read. In
    some triplets (1, 141, 271, ...) the ground truth equals an input.

    Args:
      root: `ucf101_interp_ours` or its parent.
      split: "test".
    """
    home = layout.find(root, "ucf101_interp_ours", ".", layout=LAYOUT)
    triplets = [path for path in images.list_folders(home) if (path / "frame_01_gt.png").exists()]
    if not triplets:
        raise layout.wrong(home, "no folder contains frame_01_gt.png", LAYOUT)
    for path in triplets:
        names = ("frame_00.png", "frame_01_gt.png", "frame_02.png")
        yield Clip(path.name, tuple(path / name for name in names), mask=_mask(home, path))


def sample(root: Path, variant: str = "") -> None:
    """Write two tiny triplets."""
    for name in ("1", "11"):
        home = root / "ucf101_interp_ours" / name
        sample_tree.pictures(home, ["frame_00.png", "frame_01_gt.png", "frame_02.png"])
        sample_tree.picture(home / "frame_01_ours.png", 255)
        sample_tree.picture(root / "ucf101_motion_masks" / name / "motion_mask.png")


def _mask(home, triplet):
    places = (triplet, home.parent / "ucf101_motion_masks" / triplet.name)
    return next((p / "motion_mask.png" for p in places if (p / "motion_mask.png").exists()), None)
