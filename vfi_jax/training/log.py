"""Output of a run: metrics for its loggers, and a progress bar."""

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

    Only one process of a run writes; in the others all calls do nothing.
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
        """Open the loggers.

        Args:
          folder: folder of the run; must exist.
          steps: number of steps of the whole run.
          start: number of steps already taken; later lines, left by a killed run, are removed.
          loggers: names of additional loggers, see `vfi_jax.training.loggers`.
          name: name of the run.
          config: options and recipe as JSON.
          on: whether this process writes.
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
        """Pass the metrics of a step to every logger."""
        if self.on:
            for logger in self._loggers:
                logger.scalars(step, kind, {name: float(value) for name, value in values.items()})

    def strip(self, step: int, pixels: np.ndarray) -> None:
        """Pass a strip of images, uint8 `[H, W, 3]`, to every logger."""
        if self.on:
            for logger in self._loggers:
                logger.image(step, "strip", pixels)

    def advance(self, step: int, note: str) -> None:
        """Move the progress bar to `step`."""
        if self.on:
            self._bar.update(self._task, completed=step, note=note)

    def say(self, line: str) -> None:
        """Print a line above the progress bar."""
        if self.on:
            self._bar.console.print(line, highlight=False)
