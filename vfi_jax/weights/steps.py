"""The checkpoints of a training run, saved while it goes on; beside `store` the only one that
knows Orbax.

A step is a folder of its own. Its SHA-256 manifest is written after Orbax has committed it, so a
step without a valid one was cut short or damaged and is passed over.
"""

import contextlib
import warnings
from pathlib import Path
from typing import Any

import jax

from vfi_jax.weights import store

STATE = "state"
RECORD = "record"


class Steps:
    """Saves states asynchronously and gives back the last valid one.

    Every process of a run makes one. As a context manager it waits for what is being saved.
    """

    def __init__(self, folder: Path, *, keep: int = 3):
        """Opens or makes the folder.

        Args:
          folder: for all steps of the run.
          keep: older steps than the last `keep` are deleted.
        """
        import orbax.checkpoint as ocp

        self._folder = folder.absolute()
        self._manager = ocp.CheckpointManager(
            self._folder,
            item_names=(STATE, RECORD),
            options=ocp.CheckpointManagerOptions(max_to_keep=keep, enable_async_checkpointing=True),
        )

    def __enter__(self) -> "Steps":
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
        self._manager.save(step, args=ocp.args.Composite(**items), force=True)

    def wait(self) -> None:
        """Returns when everything is on disk and sealed.

        Raises:
          OSError: it could not be written.
        """
        self._manager.wait_until_finished()
        self.seal()

    def seal(self) -> None:
        """Writes the manifest of every step that has been committed since; call it often."""
        if jax.process_index() == 0:
            # Orbax renames a step to its bare number when it is complete.
            for folder in self._folder.glob("[0-9]*"):
                if folder.name.isdigit() and not (folder / store.MANIFEST).exists():
                    store.seal(folder)

    def last(self) -> int | None:
        """The last valid step, or None."""
        return next((step for step in self._descending() if not self._faults(step)), None)

    def latest(self, template: Any) -> tuple[Any, dict]:
        """The last valid state and its record.

        Args:
          template: arrays or `jax.ShapeDtypeStruct` with the structure, types and shardings wanted.

        Raises:
          ValueError: there is no valid step.
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
        raise ValueError(f"{self._folder} holds no valid checkpoint to resume from")

    def _descending(self):
        return sorted(self._manager.all_steps(), reverse=True)

    def _faults(self, step):
        with contextlib.suppress(FileNotFoundError):
            return "; ".join(store.faults(self._folder / str(step)))
        return f"it has no {store.MANIFEST}"
