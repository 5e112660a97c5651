"""Checkpoints on disk: folders in one of two formats, complete or absent.

A folder is written under a temporary name and renamed when complete. It contains SHA-256 values,
which are verified on reading. In an object store, a checkpoint is complete when its description
exists.
"""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax import lookup, remote
from vfi_jax.weights import hub_folder, orbax_folder

FORMAT = 1  # of the description
FORMATS = {"orbax": orbax_folder, "safetensors": hub_folder}


def write(
    folder: str | os.PathLike,
    variables: dict,
    description: dict,
    *,
    dtype: Any = None,
    format: str = "orbax",
) -> Any:
    """Store variables and their description, replacing an older checkpoint in the same place.

    Args:
      folder: output folder, created with its parents, or an object store path such as
        gs://bucket/folder.
      variables: nested dicts of arrays.
      description: returned by `describe`; must be JSON.
      dtype: type of the stored floats; the arrays' own by default.
      format: "orbax" or "safetensors".

    Returns:
      The folder, as a path.

    Raises:
      ValueError: there are no variables, `folder` exists and is not a checkpoint, or the format is
        unknown.
    """
    if format not in FORMATS:
        raise ValueError(lookup.unknown("format", format, FORMATS))
    if not jax.tree.leaves(variables):
        raise ValueError("there are no variables to store")
    place = remote.path(folder)
    if place.exists() and not is_checkpoint(place):
        raise ValueError(f"{place} exists and is not a checkpoint; choose another path")
    arrays = jax.tree.map(lambda array: _cast(array, dtype), variables)
    layout = FORMATS[format]
    with _replacing(place, last=layout.DESCRIPTION) as partial:
        layout.fill(partial, arrays, {"format": FORMAT, **description})
    return place


def read(folder: Path) -> tuple[dict, dict]:
    """A checkpoint's description and variables, verified.

    Args:
      folder: a local folder from `write`.

    Returns:
      (description, variables): variables as nested dicts of NumPy arrays, floats as float32.

    Raises:
      FileNotFoundError: the folder does not exist.
      ValueError: it is not a checkpoint, damaged, or has a later format.
    """
    verify(folder)
    return describe(folder), _layout(folder).variables(folder)


def describe(folder: Path) -> dict:
    """The description of a checkpoint, not verified.

    Raises:
      FileNotFoundError: no such folder.
      ValueError: it is not a checkpoint or has a later format.
    """
    path = folder / _layout(folder).DESCRIPTION
    try:
        description = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    if not isinstance(description, dict) or "model" not in description:
        raise ValueError(f"{path} was not written by vfi-jax; load its weights file with system=")
    if description.get("format") != FORMAT:
        raise ValueError(
            f"{folder} has format {description.get('format')} and this version reads {FORMAT}; "
            "update vfi-jax"
        )
    return description


def verify(folder: Path) -> None:
    """Verify every file of a checkpoint against its SHA-256.

    Raises:
      FileNotFoundError: no such folder.
      ValueError: it is not a checkpoint or has a later format, or a file is damaged, missing or
        unexpected.
    """
    found = _layout(folder).faults(folder)
    if found:
        raise ValueError(f"checkpoint {folder}: {'; '.join(found)}; store it again")
    describe(folder)


def is_checkpoint(folder: Any) -> bool:
    """Whether a path, also in an object store, contains a complete checkpoint."""
    return _found(folder) is not None


@contextlib.contextmanager
def _replacing(folder: Any, *, last: str) -> Iterator[Path]:
    """A temporary folder that replaces `folder` on success."""
    if remote.is_remote(folder):
        with tempfile.TemporaryDirectory(prefix="vfi_jax-") as partial:
            yield Path(partial)
            remote.replace(folder, Path(partial), last=last)
        return
    folder = folder.absolute()
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    old = partial.with_suffix(".old")
    partial.mkdir(parents=True)
    try:
        yield partial
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        for leftover in (partial, old):
            shutil.rmtree(leftover, ignore_errors=True)


def _layout(folder):
    if not folder.exists():
        raise FileNotFoundError(f"there is no checkpoint {folder}")
    found = _found(folder)
    if found is None:
        wanted = " or ".join(" and ".join(layout.ESSENTIAL) for layout in FORMATS.values())
        raise ValueError(f"{folder} is not a checkpoint: it has no {wanted}")
    return found


def _found(folder):
    """The format of a folder, by its essential files; None if there is none."""
    layouts = FORMATS.values()
    return next(
        (one for one in layouts if all((folder / name).is_file() for name in one.ESSENTIAL)), None
    )


def _cast(array, dtype):
    array = np.asarray(array)
    return array.astype(dtype) if dtype and jnp.issubdtype(array.dtype, jnp.floating) else array
