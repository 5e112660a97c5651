"""What a target of frames takes."""

from fractions import Fraction

import av
import numpy as np


class Sink:
    """Where output frames go.

    Attributes:
      alpha: whether transparency is kept.
      codec: what frames are encoded with.
      warnings: what the user should know, a line each.
    """

    alpha: bool
    codec: str

    def __init__(self):
        self.warnings: list[str] = []

    def write(self, pixels: np.ndarray, time: Fraction, duration: Fraction) -> None:
        """Add the next frame, `[H, W, 3 or 4]`, shown at `time` for `duration` seconds."""
        raise NotImplementedError

    def copy(self, packet: av.Packet) -> None:
        """Carry over a packet of one of the source's other streams."""

    def finish(self) -> None:
        """Write what is held back, after the last frame."""

    def close(self) -> None:
        """Let go of the file, complete or not."""
