"""Interface of targets."""

from fractions import Fraction

import av
import numpy as np


class Sink:
    """Common interface of video files and folders that frames are written to.

    Attributes:
      alpha: whether transparency is kept.
      codec: name of the encoder or image format.
      warnings: notes for the user, a line each.
    """

    alpha: bool
    codec: str

    def __init__(self):
        self.warnings: list[str] = []

    def write(self, pixels: np.ndarray, time: Fraction, duration: Fraction) -> None:
        """Write the next frame, `[H, W, 3 or 4]`, shown at `time` for `duration` seconds."""
        raise NotImplementedError

    def copy(self, packet: av.Packet) -> None:
        """Copy a packet of another stream of the source."""

    def finish(self) -> None:
        """Write all buffered data after the last frame."""

    def close(self) -> None:
        """Close the file, complete or not."""
