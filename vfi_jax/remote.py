"""Paths in object stores, such as gs://bucket/folder or hf://user/name, by `etils.epath`."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# What `epath` opens: the start of the path, and the package that knows the store.
PACKAGES = {"gs": "gcsfs", "s3": "s3fs", "az": "adlfs", "hf": "huggingface_hub"}


def is_remote(path: str | os.PathLike) -> bool:
    """Whether a path is one of an object store."""
    return "://" in os.fspath(path)


def path(place: str | os.PathLike) -> Any:
    """A `pathlib.Path`, or for an object store `epath.Path`, which has the same methods.

    Raises:
      ValueError: such stores are not supported, or what reads them is not installed.
    """
    if not is_remote(place):
        return Path(place)
    scheme = os.fspath(place).partition("://")[0]
    if scheme not in PACKAGES:
        known = ", ".join(f"{scheme}://" for scheme in PACKAGES)
        raise ValueError(f"{place} cannot be opened; supported are {known} and local paths")
    from etils import epath

    found = epath.Path(os.fspath(place))
    try:
        found.exists()  # the package for a store is imported at first use
    except ImportError:
        package = PACKAGES[scheme]
        raise ValueError(
            f"{place} cannot be opened without {package}: pip install {package}"
        ) from None
    return found


@contextlib.contextmanager
def local(place: Any) -> Iterator[Path]:
    """The same file or folder on this machine; of an object store a copy, while the context lasts.

    Args:
      place: as `path` gives it; it exists.
    """
    if not is_remote(place):
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="vfi_jax-") as folder:
        copy = Path(folder) / place.name
        for source, target in _files(place, copy):
            target.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as reader, target.open("wb") as writer:
                shutil.copyfileobj(reader, writer)
        yield copy


def replace(place: Any, folder: Path, *, last: str) -> None:
    """Copies a folder of this machine into an object store, in the place of what is there.

    Args:
      place: as `path` gives it, of an object store.
      folder: on this machine.
      last: name of the file in it that is copied after all others, and without which the copy is
        incomplete; it is the first to go.
    """
    (place / last).unlink(missing_ok=True)
    if place.exists():
        place.rmtree()
    for source, target in sorted(_files(folder, place), key=lambda pair: pair[0].name == last):
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as reader, target.open("wb") as writer:
            shutil.copyfileobj(reader, writer)


def _files(source, target):
    """All files in or at a path, each with its place in or at another."""
    if not source.is_dir():
        yield source, target
        return
    for entry in source.iterdir():
        yield from _files(entry, target / entry.name)
