"""The checkpoints of a training run, saved while it goes on; beside `orbax_folder` the only
one that knows Orbax.

Every step is a separate folder. Its SHA-256 manifest is written after Orbax has committed it; a
step without a valid manifest is incomplete or damaged and is skipped.
"""

import contextlib
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax

from vfi_jax.weights import manifest

STATE = "state"
RECORD = "record"


class TrainingCheckpoints:
    """Saves states asynchronously and restores the last valid one.

    Every process of a run creates one. As a context manager it waits for pending saves.
    """

    def __init__(self, folder: Path, *, keep: int = 3):
        """Opens or makes the folder.

        Args:
          folder: for all steps of the run.
          keep: older steps than the last `keep` are deleted; at least 2.

        Raises:
          ValueError: `keep` is smaller.
        """
        if keep < 2:
            # The one before must last until the new one is sealed.
            raise ValueError(f"keep must be at least 2 checkpoints, got {keep}")
        import orbax.checkpoint as ocp

        self._folder = folder.absolute()
        self._unsealed: list[int] = []
        self._manager = ocp.CheckpointManager(
            self._folder,
            item_names=(STATE, RECORD),
            options=ocp.CheckpointManagerOptions(max_to_keep=keep, enable_async_checkpointing=True),
        )

    def __enter__(self) -> "TrainingCheckpoints":
        return self

    def __exit__(self, *error: object) -> None:
        self.wait()
        self._manager.close()

    def save(self, step: int, state: Any, record: dict) -> None:
        """Starts saving a state; returns before it is on disk.

        Args:
          step: steps taken.
          state: any pytree of arrays.
          record: JSON that goes with it, such as where the data stood.

        Raises:
          OSError: this or the step before could not be written; those before are intact.
        """
        import orbax.checkpoint as ocp

        self.wait()
        items = {STATE: ocp.args.StandardSave(state), RECORD: ocp.args.JsonSave(record)}
        with _disk_errors():
            self._manager.save(step, args=ocp.args.Composite(**items), force=True)
        self._unsealed.append(step)

    def wait(self) -> None:
        """Returns when everything is on disk and sealed.

        Raises:
          OSError: it could not be written.
        """
        with _disk_errors():
            self._manager.wait_until_finished()
        self.seal()

    def seal(self) -> None:
        """Writes the manifest of every step that has been committed since; call it often."""
        # Orbax renames a step to its bare number when it is complete.
        for step in [step for step in self._unsealed if (self._folder / str(step)).is_dir()]:
            if jax.process_index() == 0:
                manifest.seal(self._folder / str(step))
            self._unsealed.remove(step)

    def last(self) -> int | None:
        """The last valid step, or None."""
        return next((step for step in self._descending() if not self._faults(step)), None)

    def latest(self, template: Any) -> tuple[Any, dict] | None:
        """The last valid state and its record; None where there is no valid step.

        Steps after it are deleted, with a warning: their numbers are needed again.

        Args:
          template: arrays or `jax.ShapeDtypeStruct` with the structure, types and shardings wanted.
        """
        import orbax.checkpoint as ocp

        for step in self._descending():
            faults = self._faults(step)
            if faults:
                warnings.warn(f"step {step} is passed over: {faults}", stacklevel=2)
                self._manager.delete(step)
                continue
            how = ocp.args.Composite(
                **{STATE: ocp.args.StandardRestore(template), RECORD: ocp.args.JsonRestore()}
            )
            found = self._manager.restore(step, args=how)
            return found[STATE], found[RECORD]
        return None

    def _descending(self):
        names = [folder.name for folder in self._folder.iterdir() if folder.is_dir()]
        return sorted((int(name) for name in names if name.isdecimal()), reverse=True)

    def _faults(self, step):
        with contextlib.suppress(FileNotFoundError):
            return "; ".join(manifest.faults(self._folder / str(step)))
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
