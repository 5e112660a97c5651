"""Asynchronous checkpoints of a training run; only this module and `orbax_folder` use Orbax.

Every step is a separate folder. Its SHA-256 manifest is written after Orbax has committed it. A
step without a valid manifest is incomplete or damaged and is skipped.
"""

import contextlib
import functools
import os
import re
import tempfile
import warnings
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import jax
import numpy as np

from vfi_jax import remote
from vfi_jax.weights import manifest

STATE = "state"
RECORD = "record"


class TrainingCheckpoints:
    """Saves states asynchronously and restores the last valid one.

    Every process of a run creates one; process 0 saves, because every process holds the whole
    state. For an object store, a step is written to a local folder and copied by a thread, its
    manifest last. As a context manager it waits for pending saves.
    """

    def __init__(self, folder: Any, *, keep: int = 3):
        """Open or create the folder.

        Args:
          folder: folder for all steps of the run; a path, or a result of `remote.path`.
          keep: number of steps to keep, at least 2; older ones are deleted.

        Raises:
          ValueError: `keep` is below 2.
        """
        if keep < 2:
            # The previous step must be kept until the new one is sealed.
            raise ValueError(f"keep must be at least 2 checkpoints, got {keep}")
        self._place, self._keep = folder, keep
        self._writes = jax.process_index() == 0
        self._unsealed: list[int] = []
        self._copies: list[futures.Future] = []
        self._resources = contextlib.ExitStack()
        self._remote = remote.is_remote(folder)
        if self._remote:
            temporary = tempfile.TemporaryDirectory(prefix="vfi_jax-checkpoints-")
            self._folder = Path(self._resources.enter_context(temporary))
            pool = futures.ThreadPoolExecutor(1)
            self._copier = self._resources.enter_context(pool)
        else:
            self._folder = folder.absolute()
            self._folder.mkdir(parents=True, exist_ok=True)

    @functools.cached_property
    def _manager(self):
        # Created at the first save, after `latest` has deleted steps. Not Orbax v1: its save
        # broadcasts the path to all processes even with `active_processes` (0.12.8,
        # saving/execution.py, _check_directory_consistency), so a save by process 0 only would
        # never return. If all processes saved, they would need a shared folder.
        import orbax.checkpoint as ocp

        alone = ocp.options.MultiprocessingOptions(
            primary_host=0, active_processes={0}, barrier_sync_key_prefix="checkpoints"
        )
        options = ocp.CheckpointManagerOptions(
            max_to_keep=self._keep,
            enable_async_checkpointing=True,
            create=False,
            multiprocessing_options=alone,
        )
        return ocp.CheckpointManager(self._folder, item_names=(STATE, RECORD), options=options)

    def __enter__(self) -> "TrainingCheckpoints":
        return self

    def __exit__(self, *error: object) -> None:
        with self._resources:
            self.wait()
            if "_manager" in vars(self):
                self._manager.close()

    def save(self, step: int, state: Any, record: dict) -> None:
        """Start saving a state; returns before it is on disk.

        Args:
          step: number of steps taken.
          state: any pytree of arrays, complete in every process.
          record: JSON to store with it, such as the position in the data.

        Raises:
          OSError: this or the previous step could not be written; earlier steps are intact.
        """
        if not self._writes:
            return
        import orbax.checkpoint as ocp

        self.wait()
        items = {
            STATE: ocp.args.StandardSave(jax.tree.map(_on_host, state)),
            RECORD: ocp.args.JsonSave(record),
        }
        with _disk_errors():
            self._manager.save(step, args=ocp.args.Composite(**items), force=True)
        self._unsealed.append(step)

    def wait(self) -> None:
        """Wait until everything is stored and sealed.

        Raises:
          OSError: it could not be written.
        """
        if "_manager" in vars(self):
            with _disk_errors():
                self._manager.wait_until_finished()
        self.seal()
        while self._copies:
            self._copies.pop().result()

    def seal(self) -> None:
        """Write the manifest of every newly committed step; call it often."""
        # Orbax renames a step to its bare number when it is complete.
        for step in [step for step in self._unsealed if (self._folder / str(step)).is_dir()]:
            manifest.seal(self._folder / str(step))
            self._unsealed.remove(step)
            if self._remote:
                self._copies.append(self._copier.submit(self._copy, step))

    def last(self) -> int | None:
        """The last valid step, or None."""
        for step in self._descending():
            with remote.local(self._place / str(step)) as copy:
                if not _faults(copy):
                    return step
        return None

    def latest(self, template: Any) -> tuple[Any, dict] | None:
        """The last valid state and its record, or None if there is no valid step.

        Later steps are deleted with a warning, because their numbers will be reused.

        Args:
          template: arrays or `jax.ShapeDtypeStruct` with the desired structure, types and
            shardings.
        """
        for step in self._descending():
            folder = self._place / str(step)
            with remote.local(folder) as copy:
                faults = _faults(copy)
                if not faults:
                    return _restored(copy, template)
            warnings.warn(f"step {step} is skipped: {faults}", stacklevel=2)
            if self._writes:
                remote.delete(folder)
        return None

    def _copy(self, step):
        """Copy a sealed step to the object store, and delete the oldest ones there."""
        name = str(step)
        remote.replace(self._place / name, self._folder / name, last=manifest.MANIFEST)
        for old in self._descending()[self._keep :]:
            remote.delete(self._place / str(old))

    def _descending(self):
        if not self._place.exists():
            return []
        names = [folder.name for folder in self._place.iterdir() if folder.is_dir()]
        return sorted((int(name) for name in names if name.isdecimal()), reverse=True)


def _restored(folder, template):
    import orbax.checkpoint as ocp

    how = ocp.args.Composite(
        **{STATE: ocp.args.StandardRestore(template), RECORD: ocp.args.JsonRestore()}
    )
    with ocp.Checkpointer(ocp.CompositeCheckpointHandler(STATE, RECORD)) as reader:
        found = reader.restore(folder.absolute(), args=how)
    return found[STATE], found[RECORD]


def _on_host(array):
    """A copy of an array, because the next step may donate its buffer."""
    return np.array(array.addressable_data(0) if isinstance(array, jax.Array) else array)


def _faults(folder):
    with contextlib.suppress(FileNotFoundError):
        return "; ".join(manifest.faults(folder))
    return f"it has no {manifest.MANIFEST}"


@contextlib.contextmanager
def _disk_errors() -> Iterator[None]:
    """Convert TensorStore's ValueErrors about file system errors to OSErrors."""
    try:
        yield
    except ValueError as error:
        code = re.search(r"os_error_code='(\d+)'", str(error))
        if code is None:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1]))) from error
