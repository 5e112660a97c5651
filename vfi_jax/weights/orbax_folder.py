"""Orbax checkpoints; only this module and `training_checkpoints` use Orbax.

A folder has `variables/`, a description `checkpoint.json`, and a SHA-256 manifest of both.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax.weights.manifest import MANIFEST, faults, seal

__all__ = ["DESCRIPTION", "ESSENTIAL", "faults", "fill", "restore", "tree_folder", "variables"]

VARIABLES = "variables"
DESCRIPTION = "checkpoint.json"
ESSENTIAL = (DESCRIPTION, MANIFEST)  # files that identify such a folder
# Orbax's own names.
COMMITTED = "commit_success.txt"
CHECKPOINT = "_CHECKPOINT_METADATA"
MARKS = ("_METADATA", "manifest.ocdbt")  # of a tree
ITEMS = ("", "default", "state", "pytree", "params")  # where a tree may be


def fill(folder: Path, arrays: dict, description: dict) -> None:
    """Write a checkpoint into an empty folder.

    Args:
      folder: the folder.
      arrays: nested dicts of NumPy arrays.
      description: content of `checkpoint.json`.
    """
    import orbax.checkpoint as ocp

    # Orbax v1's save compares folders over all processes even if only one saves (Orbax 0.12.8), so
    # in a multi-process run it would wait for the others.
    this = jax.process_index()
    alone = ocp.options.MultiprocessingOptions(primary_host=this, active_processes={this})
    handler = ocp.PyTreeCheckpointHandler(multiprocessing_options=alone)
    with ocp.Checkpointer(handler, multiprocessing_options=alone) as writer:
        writer.save(folder.absolute() / VARIABLES, arrays)
    # Blank the path that Orbax records: the temporary folder.
    (folder / VARIABLES / COMMITTED).write_text("")
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n")
    seal(folder)


def variables(folder: Path) -> dict:
    """The variables of a checkpoint, not verified: NumPy arrays, floats as float32."""
    return restore(folder / VARIABLES)


def restore(folder: Path) -> dict:
    """The tree that Orbax stored in or under a folder: NumPy arrays, floats as float32."""
    tree = (tree_folder(folder) or folder).absolute()
    where, name = tree, "AUTO"
    if (tree.parent / CHECKPOINT).exists():
        where, name = tree.parent, tree.name
    with _orbax() as v1:
        stored = v1.metadata(where, checkpointable_name=name).metadata
        # Without target types, Orbax requires the devices that the arrays were saved from.
        wanted = jax.tree.map(lambda leaf: np.empty(leaf.shape, _restored(leaf.dtype)), stored)
        return v1.load(where, wanted, checkpointable_name=name)


def tree_folder(path: Path) -> Path | None:
    """The folder of the tree that Orbax stored in or under `path`; None if there is none."""
    places = [path / item for item in ITEMS]
    return next((at for at in places if any((at / mark).exists() for mark in MARKS)), None)


@contextmanager
def _orbax() -> Iterator[Any]:
    """Orbax for this process only, without waiting for other processes of a run."""
    # Imported lazily: it takes up to 3 s, and listing models does not need it.
    from orbax.checkpoint import v1

    context = v1.Context()
    context.multiprocessing.primary_host = jax.process_index()
    context.multiprocessing.active_processes = {jax.process_index()}
    with context:
        yield v1


def _restored(dtype):
    return np.float32 if jnp.issubdtype(dtype, jnp.floating) else dtype
