"""Reading published trees of files, and saying what is wrong with one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from vfi_jax import images

Item = TypeVar("Item")

SHOWN = 8  # entries of a folder that a message lists
EVERY = 10  # one in ten validates of what nobody divided; of fewer the last


def find(root: Path, *names: str, layout: str) -> Path:
    """The first of `names` that exists below `root`.

    Args:
      root: the folder that the user named.
      *names: relative paths, the likeliest first; "." is the folder itself.
      layout: shown where none is there.

    Raises:
      ValueError: none exists; the message shows the layout wanted and what was found.
    """
    for name in names:
        if (root / name).exists():
            return root / name
    raise wrong(root, f"{' or '.join(names)} is missing", layout)


class WrongLayout(ValueError):
    """A folder, or the part of it that a split is, is not there or laid out otherwise."""


def wrong(root: Path, what: str, layout: str) -> WrongLayout:
    """The error for a folder that is laid out otherwise."""
    if not root.exists():
        return WrongLayout(f"{root} does not exist; wanted is\n{layout}")
    shown = (path for path in images.natural(root.iterdir()) if not images.is_system_file(path))
    entries = [path.name + "/" * path.is_dir() for path in shown]
    found = ", ".join(entries[:SHOWN]) or "nothing"
    more = f" and {len(entries) - SHOWN} more" if len(entries) > SHOWN else ""
    return WrongLayout(f"{root}: {what}; found {found}{more}; wanted is\n{layout}")


def lines(path: Path) -> list[str]:
    """A published list: its lines without the blank ones, and without a byte order mark."""
    return [line.strip() for line in path.read_text("utf-8-sig").splitlines() if line.strip()]


def part(items: Sequence[Item], split: str) -> list[Item]:
    """What "val" or "train" has of a set that is published undivided.

    Args:
      items: in their order; every tenth validates, of fewer the last.
      split: "val", or another for the rest.
    """
    every = max(2, min(EVERY, len(items)))
    return [item for i, item in enumerate(items) if (i % every == every - 1) == (split == "val")]


def stored_name(data_set: str) -> str:
    """The folder of a built data set: its name with "_" for "/"."""
    return data_set.replace("/", "_")


def is_built(data_set: str, data_dir: Path | None) -> bool:
    """Whether `data_dir` holds a built version of a data set."""
    return data_dir is not None and any(
        (data_dir / stored_name(data_set)).glob("*/dataset_info.json")
    )
