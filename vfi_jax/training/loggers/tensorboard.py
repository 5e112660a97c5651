"""TensorBoard event files in WORKDIR/tensorboard."""

from pathlib import Path
from typing import Any

import numpy as np


class Logger:
    """Writes with tensorboardX, which does not need TensorFlow."""

    def __init__(self, folder: Path, **about: Any):
        from tensorboardX import SummaryWriter  # takes a second to import

        self._board = SummaryWriter(str(folder / "tensorboard"))

    def scalars(self, step: int, kind: str, values: dict[str, float]) -> None:
        """Add a point to the curve of each value."""
        for name, value in values.items():
            self._board.add_scalar(f"{kind}/{name}", value, step)

    def image(self, step: int, name: str, pixels: np.ndarray) -> None:
        """Add an image of a step."""
        self._board.add_image(name, pixels, step, dataformats="HWC")

    def close(self) -> None:
        """Flush and close."""
        self._board.close()
