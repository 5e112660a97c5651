"""Paths in object stores, such as gs://bucket/folder or hf://user/name, by `etils.epath`."""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Stores supported by `epath`: path prefix, and the package for the store.
PACKAGES = {"gs": "gcsfs", "s3": "s3fs", "az": "adlfs", "hf": "huggingface_hub"}


def is_remote(path: str | os.PathLike) -> bool:
    """Whether a path is in an object store."""
    return "://" in os.fspath(path)


def path(place: str | os.PathLike) -> Any:
    """A `pathlib.Path`, or for object stores an `epath.Path` with the same methods.

    Raises:
      ValueError: the store is not supported, or its package is not installed.
    """
    if not is_remote(place):
        if re.match(r"[a-z]\w+:/", os.fspath(place)):  # as pathlib leaves a URL
            raise ValueError(f"{place} is not a local path; object stores need two slashes: gs://")
        return Path(place)
    scheme = os.fspath(place).partition("://")[0]
    if scheme not in PACKAGES:
        known = ", ".join(f"{scheme}://" for scheme in PACKAGES)
        raise ValueError(f"{place} cannot be opened; supported are {known} and local paths")
    from etils import epath

    found = epath.Path(os.fspath(place))
    try:
        found.exists()  # imports the package of the store
    except ImportError:
        package = PACKAGES[scheme]
        raise ValueError(
            f"{place} cannot be opened without {package}: pip install {package}"
        ) from None
    return found


@contextlib.contextmanager
def local(place: Any) -> Iterator[Path]:
    """Context with a local path; for object stores a temporary copy.

    Args:
      place: an existing path, from `path`.
    """
    if not is_remote(place):
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="vfi_jax-") as folder:
        copy = Path(folder) / place.name
        for source, target in _files(place, copy):
            _copy(source, target)
            # Copies on several machines are then equal for `version`.
            if (changed := source.stat().mtime) is not None:
                os.utime(target, (changed, changed))
        yield copy


@contextlib.contextmanager
def local_pair(source: Any, target: Any) -> Iterator[tuple[Path, Path]]:
    """Context with local paths of a source and a target; a result in a store is copied at the end.

    Args:
      source: an existing path, from `path`.
      target: a file or folder to write, from `path`; an existing one is replaced.
    """
    with contextlib.ExitStack() as stack:
        near = stack.enter_context(local(source))
        if not is_remote(target):
            yield near, target
            return
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="vfi_jax-"))
        result = Path(folder) / target.name
        yield near, result
        if result.exists():
            if target.is_dir():
                delete(target)
            publish(result, target)


def version(file: Any) -> tuple[int, int]:
    """Size in bytes and modification time of a file, in nanoseconds; in object stores in seconds.

    Args:
      file: a path from `path`.
    """
    stat = file.stat()
    if is_remote(file):
        return stat.length, stat.mtime
    return stat.st_size, stat.st_mtime_ns


def replace(place: Any, folder: Path, *, last: str) -> None:
    """Copy a local folder into an object store, replacing existing content.

    Args:
      place: a path in an object store, from `path`.
      folder: local folder.
      last: name of the file that is deleted first and copied last; without it the copy counts as
        incomplete.
    """
    (place / last).unlink(missing_ok=True)
    if place.exists():
        place.rmtree()
    for source, target in sorted(_files(folder, place), key=lambda pair: pair[0].name == last):
        _copy(source, target)


def publish(folder: Path, place: Any) -> None:
    """Copy all files of a local folder to a place, replacing files of the same name."""
    for source, target in _files(folder, place):
        _copy(source, target)


def delete(folder: Any) -> None:
    """Delete a folder with its content.

    Args:
      folder: a path from `path`.
    """
    if is_remote(folder):
        folder.rmtree()
    else:
        shutil.rmtree(folder)


def on_this_machine(place: str | os.PathLike, *, option: str, way: str) -> Path:
    """A path that must not be in an object store.

    Args:
      place: the user's value.
      option: name of the option, for the error.
      way: what to do instead, for the error.

    Raises:
      ValueError: it is in an object store.
    """
    if is_remote(place):
        raise ValueError(f"{option} must be a local path, got {place}; {way}")
    return path(place)


def _copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as reader, target.open("wb") as writer:
        shutil.copyfileobj(reader, writer)


def _files(source, target):
    """All files in or at a path, each with its destination."""
    if not source.is_dir():
        yield source, target
        return
    for entry in source.iterdir():
        yield from _files(entry, target / entry.name)
