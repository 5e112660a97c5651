"""Checkpoints on disk: with `training_checkpoints`, the only file that knows Orbax.

A checkpoint is a folder: `variables/` as Orbax writes it, `checkpoint.json` that says what it is,
and `SHA256SUMS` over both, in the format of `sha256sum -c`, since Orbax restores flipped bytes
without a word. It is written under a temporary name and renamed when complete.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax.images import walk

FORMAT = 1  # of the folder's layout
VARIABLES = "variables"
DESCRIPTION = "checkpoint.json"
MANIFEST = "SHA256SUMS"
COMMITTED = "commit_success.txt"  # Orbax's


def write(folder: str | Path, variables: dict, description: dict, *, dtype: Any = None) -> Path:
    """Stores variables and what they are, replacing an older checkpoint in the same place.

    Args:
      folder: where; its parents are made.
      variables: nested dicts of arrays.
      description: for `checkpoint.json`; must be JSON.
      dtype: type of the stored floats; the arrays' own by default.

    Returns:
      The folder.

    Raises:
      ValueError: there are no variables, or `folder` is something else than a checkpoint.
    """
    folder = Path(folder).absolute()
    if not jax.tree.leaves(variables):
        raise ValueError("there are no variables to store")
    if folder.exists() and not is_checkpoint(folder):
        raise ValueError(f"{folder} exists and is no checkpoint; choose another place")
    arrays = jax.tree.map(lambda array: _cast(array, dtype), variables)
    with _replacing(folder) as partial:
        with _checkpointer() as checkpointer:
            checkpointer.save(partial / VARIABLES, arrays)
        # Blank the path that Orbax records: where it was stored first.
        (partial / VARIABLES / COMMITTED).write_text("")
        text = json.dumps({"format": FORMAT, **description}, indent=2)
        (partial / DESCRIPTION).write_text(text + "\n")
        seal(partial)
    return folder


def read(folder: str | Path) -> tuple[dict, dict]:
    """A checkpoint's description and variables, verified.

    Args:
      folder: where `write` put it.

    Returns:
      (description, variables): variables as nested dicts of NumPy arrays, floats as float32.

    Raises:
      FileNotFoundError: no such folder.
      ValueError: no checkpoint, damaged, or of a later format.
    """
    verify(folder)
    return describe(folder), restore(Path(folder) / VARIABLES)


def restore(folder: Path) -> dict:
    """The tree that Orbax stored in a folder, unverified: NumPy arrays, floats as float32."""
    import orbax.checkpoint as ocp

    where = folder.absolute()
    with _checkpointer() as checkpointer:
        stored = checkpointer.metadata(where).item_metadata.tree
        # Without restore types Orbax asks for the devices that the arrays were saved from.
        how = jax.tree.map(lambda leaf: ocp.RestoreArgs(np.ndarray, dtype=_float32(leaf)), stored)
        return checkpointer.restore(where, restore_args=how)


def describe(folder: str | Path) -> dict:
    """What `checkpoint.json` says, unverified.

    Raises:
      FileNotFoundError: no such folder.
      ValueError: no checkpoint, or of a later format.
    """
    folder = _existing(folder)
    try:
        description = json.loads((folder / DESCRIPTION).read_bytes())
    except ValueError as error:
        raise ValueError(f"{folder / DESCRIPTION} is damaged: {error}") from None
    if description.get("format") != FORMAT:
        raise ValueError(
            f"{folder} has format {description.get('format')} and this version reads {FORMAT}; "
            "update vfi-jax"
        )
    return description


def verify(folder: str | Path) -> None:
    """Holds every file of a checkpoint to its SHA-256.

    Raises:
      FileNotFoundError: no such folder.
      ValueError: no checkpoint, of a later format, or a file is damaged, missing or too many.
    """
    folder = _existing(folder)
    found = faults(folder)
    if found:
        raise ValueError(f"checkpoint {folder}: {'; '.join(found)}; store it again")
    describe(folder)


def seal(folder: Path) -> None:
    """Writes the SHA-256 manifest of a folder that is complete."""
    partial = folder / f".{MANIFEST}"
    partial.write_text(
        "".join(f"{sha256(path)}  {name}\n" for name, path in _files(folder).items())
    )
    partial.rename(folder / MANIFEST)


def faults(folder: Path) -> list[str]:
    """What differs from a folder's manifest: one line a file.

    Raises:
      FileNotFoundError: it has no manifest.
    """
    lines = (folder / MANIFEST).read_text(errors="replace").splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    files = _files(folder) | {name: folder / name for name in sums if (folder / name).is_file()}
    found = [f"{name} is missing" for name in sums if name not in files]
    found += [f"{name} does not belong there" for name in files if name not in sums]
    found += [
        f"{name} is damaged"
        for name, path in files.items()
        if name in sums and sha256(path) != sums[name]
    ]
    return found


def is_checkpoint(folder: str | Path) -> bool:
    """Whether `folder` holds a complete checkpoint."""
    return (Path(folder) / DESCRIPTION).is_file() and (Path(folder) / MANIFEST).is_file()


def sha256(path: Path) -> str:
    """The hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """A temporary folder that takes the place of `folder` if all goes well."""
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


def _existing(folder: str | Path) -> Path:
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"there is no checkpoint {folder}")
    if not is_checkpoint(folder):
        raise ValueError(f"{folder} is no checkpoint: it has no {DESCRIPTION} and {MANIFEST}")
    return folder


def _files(folder):
    """Paths of the files that the manifest covers, by their name in it."""
    names = {path.relative_to(folder).as_posix(): path for path in walk(folder)}
    names.pop(MANIFEST, None)
    return names


def _checkpointer():
    # Orbax takes up to 3 s to import; a list of models, or a model without weights, needs none.
    import orbax.checkpoint as ocp

    # One process's business, also in a run of several: the others are not waited for.
    this = jax.process_index()
    alone = ocp.options.MultiprocessingOptions(primary_host=this, active_processes={this})
    handler = ocp.PyTreeCheckpointHandler(multiprocessing_options=alone)
    return ocp.Checkpointer(handler, multiprocessing_options=alone)


def _cast(array, dtype):
    array = np.asarray(array)
    return array.astype(dtype) if dtype and _is_float(array) else array


def _float32(leaf):
    return np.float32 if _is_float(leaf) else None


def _is_float(leaf):
    return jnp.issubdtype(leaf.dtype, jnp.floating)
