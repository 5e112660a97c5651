"""Vid4 (Liu and Sun 2011): four clips for video super-resolution, with published LR frames."""

from collections.abc import Iterator
from pathlib import Path

from vfi_jax import images
from vfi_jax.data import layout, sample_tree
from vfi_jax.data.clip import Clip

LAYOUT = """\
HR/calendar/00000000.png ..       41 frames; city 34, foliage 49, walk 47
LR/calendar/00000000.png ..       bicubic, a quarter of the size; computed if missing"""
SPLITS = ("test",)


def clips(root: Path, split: str) -> Iterator[Clip]:
    """The four complete clips; a protocol chooses windows.

    Args:
      root: contains `HR` (or `GT`) and optionally `LR` (or `BIx4`).
      split: "test".
    """
    high = layout.find(root, "HR", "GT", layout=LAYOUT)
    low = next((root / name for name in ("LR", "BIx4") if (root / name).exists()), None)
    found = images.list_folders(high)
    if not found:
        raise layout.wrong(high, "it has no folders of frames", LAYOUT)
    for folder in found:
        small = images.list_images(low / folder.name) if low else ()
        yield Clip(folder.name, tuple(images.list_images(folder)), low=tuple(small))


def sample(root: Path, variant: str = "") -> None:
    """Write two tiny clips."""
    for part in ("HR", "LR"):
        for name in ("calendar", "city"):
            files = [f"{i:08d}.png" for i in range(7)]
            sample_tree.pictures(root / part / name, files)
