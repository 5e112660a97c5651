"""Published directory layouts: finding files and reporting differences."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from vfi_jax import images, remote

Item = TypeVar("Item")

SHOWN = 8  # entries of a folder listed in a message
EVERY = 10  # every tenth item validates if no split is published; if fewer, the last


def find(root: Path, *names: str, layout: str) -> Path:
    """The first of `names` that exists below `root`.

    Args:
      root: the user's folder.
      *names: relative paths, the most likely first; "." is the folder itself.
      layout: expected layout, shown in the error.

    Raises:
      ValueError: none exists; the message shows the expected layout and what was found.
    """
    for name in names:
        if (root / name).exists():
            return root / name
    raise wrong(root, f"{' or '.join(names)} is missing", layout)


class WrongLayout(ValueError):
    """A folder, or its part for a split, is missing or has another layout."""


def wrong(root: Path, what: str, layout: str) -> WrongLayout:
    """The error for a folder with another layout."""
    if not root.exists():
        return WrongLayout(f"{root} does not exist; expected layout:\n{layout}")
    shown = (path for path in images.natural(root.iterdir()) if not images.is_system_file(path))
    entries = [path.name + "/" * path.is_dir() for path in shown]
    found = ", ".join(entries[:SHOWN]) or "nothing"
    more = f" and {len(entries) - SHOWN} more" if len(entries) > SHOWN else ""
    return WrongLayout(f"{root}: {what}; found {found}{more}; expected layout:\n{layout}")


def lines(path: Path) -> list[str]:
    """The non-blank lines of a published list, without a byte order mark."""
    return [line.strip() for line in path.read_text("utf-8-sig").splitlines() if line.strip()]


def part(items: Sequence[Item], split: str) -> list[Item]:
    """The items of "val" or "train" of a set published without a split.

    Args:
      items: in order; every tenth validates, or the last if there are fewer.
      split: "val", or another name for the rest.
    """
    every = max(2, min(EVERY, len(items)))
    return [item for i, item in enumerate(items) if (i % every == every - 1) == (split == "val")]


def stored_name(data_set: str) -> str:
    """The folder of a built data set: its name with "_" for "/"."""
    return data_set.replace("/", "_")


def data_folder(place: str | os.PathLike[str]) -> Any:
    """The folder of --data-dir: a local path, or an `epath.Path` in Google Cloud Storage.

    Raises:
      ValueError: it is in another object store; array_record, which reads the records of built data
        sets, supports only gs://.
    """
    if remote.is_remote(place) and not os.fspath(place).startswith("gs://"):
        raise ValueError(
            f"--data-dir must be a local folder or in gs://, got {place}; copy the data set to "
            "this machine, for example with `aws s3 cp --recursive`, or mount the bucket"
        )
    return remote.path(place)


def is_built(data_set: str, data_dir: Any) -> bool:
    """Whether `data_dir` contains a built version of a data set."""
    return data_dir is not None and any(
        (data_dir / stored_name(data_set)).glob("*/dataset_info.json")
    )
