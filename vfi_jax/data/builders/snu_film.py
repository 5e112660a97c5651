"""SNU-FILM (Choi et al. 2020, CAIN): 310 triplets at each of four frame distances."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from vfi_jax.data import layout, sample_tree
from vfi_jax.data.clip import Clip

LAYOUT = """\
test-easy.txt test-medium.txt test-hard.txt test-extreme.txt     three paths per line
test/GOPRO_test/GOPR0384_11_00/000001.png ..
test/YouTube_test/0000/00000.png .."""
SPLITS = ("test",)
VARIANTS = ("easy", "medium", "hard", "extreme")

COMPONENTS = 3  # last components of a listed path; the lists start at the authors' own folder


def clips(root: Path, split: str, *, variant: str) -> Iterator[Clip]:
    """The triplets of one difficulty, in the list's order.

    Args:
      root: contains the lists and `test/`.
      split: "test".
      variant: "easy", "medium", "hard" or "extreme": 2, 4, 8 or 16 frames between the inputs.
    """
    listed = layout.find(root, f"test-{variant}.txt", layout=LAYOUT)
    home = layout.find(root, "test", layout=LAYOUT)
    for line in layout.lines(listed):
        tails = [PurePosixPath(*PurePosixPath(path).parts[-COMPONENTS:]) for path in line.split()]
        yield Clip(str(tails[1].with_suffix("")), tuple(home / tail for tail in tails))


def sample(root: Path, variant: str) -> None:
    """Write two tiny triplets."""
    clips = ("0001", "0002")
    for clip in clips:
        names = [f"{i:05d}.png" for i in range(3)]
        sample_tree.pictures(root / "test/YouTube_test" / clip, names)
    listed = [[f"data/SNU-FILM/test/YouTube_test/{c}/{i:05d}.png" for i in range(3)] for c in clips]
    sample_tree.lines(root / f"test-{variant}.txt", *map(" ".join, listed))
