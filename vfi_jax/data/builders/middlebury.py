"""Middlebury's OTHER set with interpolation ground truth (Baker et al. 2011): 12 sequences."""

from collections.abc import Iterator
from pathlib import Path

from vfi_jax import images
from vfi_jax.data import layout, sample_tree
from vfi_jax.data.clip import Clip

LAYOUT = """\
other-data/Beanbags/frame10.png frame11.png      from other-color-allframes.zip or -twoframes.zip
other-gt-interp/Beanbags/frame10i11.png          from other-gt-interp.zip
or all three files in one folder: Beanbags/frame10.png frame10i11.png frame11.png"""
SPLITS = ("test",)


def clips(root: Path, split: str) -> Iterator[Clip]:
    """One triplet per sequence, in alphabetical order.

    Args:
      root: contains `other-data` and `other-gt-interp`, or the sequences' folders.
      split: "test".
    """
    frames = layout.find(root, "other-data", ".", layout=LAYOUT)
    truths = layout.find(root, "other-gt-interp", ".", layout=LAYOUT)
    truth = "frame10i11.png"
    names = [path.name for path in images.list_folders(truths) if (path / truth).exists()]
    if not names:
        raise layout.wrong(root, f"no folder contains {truth}", LAYOUT)
    for name in names:
        pair = (frames / name / "frame10.png", frames / name / "frame11.png")
        yield Clip(name, (pair[0], truths / name / truth, pair[1]))


def sample(root: Path, variant: str = "") -> None:
    """Write two tiny triplets."""
    for name in ("Beanbags", "Walking"):
        truth = f"../../other-gt-interp/{name}/frame10i11.png"
        (root / "other-gt-interp" / name).mkdir(parents=True)
        sample_tree.pictures(root / "other-data" / name, ["frame10.png", truth, "frame11.png"])
