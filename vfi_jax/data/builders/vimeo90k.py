"""Vimeo-90K (Xue et al. 2019, arXiv:1711.09078): triplets and septuplets of 448x256."""

from collections.abc import Iterator
from pathlib import Path

from vfi_jax.data import layout, sample_tree
from vfi_jax.data.clip import Clip

LAYOUT = """\
vimeo_triplet/                      or vimeo_septuplet/
  tri_trainlist.txt                    sep_trainlist.txt
  tri_testlist.txt                     sep_testlist.txt (sep_fast_testlist.txt ..)
  sequences/00001/0001/im1.png im2.png im3.png (.. im7.png)
the triplets' test-only archive: target/00001/0389/im1.png .. im3.png next to the list"""
SPLITS = ("train", "val", "test", "fast", "medium", "slow")
VARIANTS = ("triplet", "septuplet")

VALIDATION = 0.05  # last share of the training list, as in RIFE; no other split is published


def clips(root: Path, split: str, *, variant: str) -> Iterator[Clip]:
    """Read the published lists; trailing blank lines are ignored.

    Args:
      root: `vimeo_triplet`, `vimeo_septuplet` or their parent.
      split: "train" and "val" divide the training list 95 : 5 in order; "fast", "medium" and "slow"
        are parts of the septuplets' test list by motion.
      variant: "triplet" or "septuplet".
    """
    prefix, count = ("tri", 3) if variant == "triplet" else ("sep", 7)
    home = layout.find(root, *_marks(prefix, variant), layout=LAYOUT).parent
    lines = layout.lines(layout.find(home, *_lists(prefix, split), layout=LAYOUT))
    if split in ("train", "val"):
        first = int(len(lines) * (1 - VALIDATION))
        lines = lines[:first] if split == "train" else lines[first:]
    sequences = layout.find(home, "sequences", "target", layout=LAYOUT)
    for line in lines:
        yield Clip(line, tuple(sequences / line / f"im{i}.png" for i in range(1, count + 1)))


def sample(root: Path, variant: str) -> None:
    """Write 40 tiny sequences, two for validation and two for testing."""
    prefix, count = ("tri", 3) if variant == "triplet" else ("sep", 7)
    names = [f"00001/{i:04d}" for i in range(1, 41)]
    sample_tree.lines(root / f"{prefix}_trainlist.txt", *names[:38])
    for speed in ("", "fast_", "medium_", "slow_"):
        sample_tree.lines(root / f"{prefix}_{speed}testlist.txt", *names[38:])
    for name in names:
        files = [f"im{i}.png" for i in range(1, count + 1)]
        sample_tree.pictures(root / "sequences" / name, files)


def _marks(prefix, variant):
    # A parent may contain both sets: a set's folder is the one with its list.
    marks = (f"{prefix}_trainlist.txt", f"{prefix}_testlist.txt")
    homes = (f"vimeo_{variant}", "vimeo_interp_test", ".")
    return [f"{home}/{mark}" for home in homes for mark in marks]


def _lists(prefix, split):
    if split in ("train", "val"):
        return [f"{prefix}_trainlist.txt"]
    if split == "test":
        return [f"{prefix}_testlist.txt"]
    return [f"{prefix}_{split}_testlist.txt", f"{split}_testset.txt"]
