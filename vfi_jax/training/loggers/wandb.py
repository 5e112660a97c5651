"""Weights & Biases, if `wandb` is installed; configured by its own environment variables."""

import hashlib
import os
from pathlib import Path

import numpy as np

PROJECT = "vfi_jax"  # default of WANDB_PROJECT


class Logger:
    """Sends metrics to a W&B run; a resumed training run continues the same W&B run."""

    def __init__(self, folder: Path, *, name: str, config: dict, start: int):
        try:
            import wandb
        except ModuleNotFoundError as error:
            raise ValueError("the logger wandb requires wandb: pip install wandb") from error

        self._wandb = wandb
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            name=name,
            id=hashlib.sha256(name.encode()).hexdigest()[:16],
            resume="allow",
            config=config,
            dir=str(folder),
        )

    def scalars(self, step: int, kind: str, values: dict[str, float]) -> None:
        """Send the metrics of a step."""
        self._run.log({f"{kind}/{name}": value for name, value in values.items()}, step=step)

    def image(self, step: int, name: str, pixels: np.ndarray) -> None:
        """Send an image of a step."""
        self._run.log({name: self._wandb.Image(pixels)}, step=step)

    def close(self) -> None:
        """Finish the W&B run."""
        self._run.finish()
