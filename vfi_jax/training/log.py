"""What a run writes down while it goes: metrics to its loggers, a progress bar."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from vfi_jax.training.loggers import open_loggers


class Log:
    """Passes metrics to the loggers of a run and shows a progress bar.

    One process of a run writes; on the others every call does nothing.
    """

    def __init__(
        self,
        folder: Path,
        *,
        steps: int,
        start: int,
        loggers: tuple[str, ...] = (),
        name: str = "",
        config: dict[str, Any] | None = None,
        on: bool = True,
    ):
        """Opens the loggers.

        Args:
          folder: of the run; it exists.
          steps: of the whole run.
          start: steps already taken; lines of later ones, that a killed run has left, go.
          loggers: names of further ones, see `vfi_jax.training.loggers`.
          name: of the run.
          config: what is trained, as JSON.
          on: this process writes.
        """
        self.on = on
        if not on:
            return
        about = {"name": name, "config": config or {}, "start": start}
        self._loggers, self._notes = open_loggers(loggers, folder, **about)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._task = self._bar.add_task("training", total=steps, completed=start, note="")

    def __enter__(self) -> "Log":
        if self.on:
            self._bar.start()
            for note in self._notes:
                self.say(note)
        return self

    def __exit__(self, *error: object) -> None:
        if self.on:
            self._bar.stop()
            for logger in self._loggers:
                logger.close()

    def scalars(self, step: int, values: dict[str, float], *, kind: str = "train") -> None:
        """Metrics of a step, to every logger."""
        if self.on:
            for logger in self._loggers:
                logger.scalars(step, kind, {name: float(value) for name, value in values.items()})

    def strip(self, step: int, pixels: np.ndarray) -> None:
        """A strip of pictures, uint8 `[H, W, 3]`, to every logger."""
        if self.on:
            for logger in self._loggers:
                logger.image(step, "strip", pixels)

    def advance(self, step: int, note: str) -> None:
        """Moves the progress bar to `step`."""
        if self.on:
            self._bar.update(self._task, completed=step, note=note)

    def say(self, line: str) -> None:
        """One line above the progress bar."""
        if self.on:
            self._bar.console.print(line, highlight=False)
