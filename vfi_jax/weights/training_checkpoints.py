"""The checkpoints of a training run, saved while it goes on; beside `orbax_folder` the only
one that knows Orbax.

Every step is a separate folder. Its SHA-256 manifest is written after Orbax has committed it; a
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

    Every process of a run makes one; process 0 saves, as every process holds the whole state. In an
    object store a step is written here first and copied by a thread, its manifest last. As a
    context manager it waits for what is being saved.
    """

    def __init__(self, folder: Any, *, keep: int = 3):
        """Opens or makes the folder.

        Args:
          folder: for all steps of the run; a path, or as `remote.path` gives it.
          keep: older steps than the last `keep` are deleted; at least 2.

        Raises:
          ValueError: `keep` is smaller.
        """
        if keep < 2:
            # The one before must last until the new one is sealed.
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
        # Made at the first save, when the steps that `latest` deletes are gone. Not Orbax's v1: its
        # save broadcasts the path over all processes, also with `active_processes` (0.12.8,
        # saving/execution.py, _check_directory_consistency), so that a save by process 0 alone
        # never returns; saved by all, the folder would have to be one that all processes share.
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
        """Starts saving a state; returns before it is on disk.

        Args:
          step: steps taken.
          state: any pytree of arrays, of which every process holds the whole.
          record: JSON that goes with it, such as where the data stood.

        Raises:
          OSError: this or the step before could not be written; those before are intact.
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
        """Returns when everything is stored and sealed.

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
        """Writes the manifest of every step that has been committed since; call it often."""
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
        """The last valid state and its record; None where there is no valid step.

        Steps after it are deleted, with a warning: their numbers are needed again.

        Args:
          template: arrays or `jax.ShapeDtypeStruct` with the structure, types and shardings wanted.
        """
        for step in self._descending():
            folder = self._place / str(step)
            with remote.local(folder) as copy:
                faults = _faults(copy)
                if not faults:
                    return _restored(copy, template)
            warnings.warn(f"step {step} is passed over: {faults}", stacklevel=2)
            if self._writes:
                remote.delete(folder)
        return None

    def _copy(self, step):
        """Copies a sealed step to the object store, and deletes those that are too many there."""
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
    """A copy of an array, whose buffer the next step may take."""
    return np.array(array.addressable_data(0) if isinstance(array, jax.Array) else array)


def _faults(folder):
    with contextlib.suppress(FileNotFoundError):
        return "; ".join(manifest.faults(folder))
    return f"it has no {manifest.MANIFEST}"


@contextlib.contextmanager
def _disk_errors() -> Iterator[None]:
    """What the system refused is an OSError; TensorStore makes a ValueError of it."""
    try:
        yield
    except ValueError as error:
        code = re.search(r"os_error_code='(\d+)'", str(error))
        if code is None:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1]))) from error
