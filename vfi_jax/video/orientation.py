"""Display orientation of stored frames."""

import dataclasses

import av
import numpy as np
from av.sidedata.sidedata import Type

from vfi_jax.video.side_data import side_data


@dataclasses.dataclass(frozen=True)
class Orientation:
    """Transformation from stored to displayed frames: transposed first, then mirrored.

    Attributes:
      transposed: rows become columns.
      mirror_x: left and right are exchanged.
      mirror_y: top and bottom are exchanged.
    """

    transposed: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @classmethod
    def of(cls, frame: av.VideoFrame) -> "Orientation":
        """The orientation by a frame's display matrix, to the nearest quarter turn."""
        data = side_data(frame, Type.DISPLAYMATRIX)
        if data is None:
            return cls()
        # Displayed x is a x + c y, displayed y is b x + d y, up to a shift.
        a, b, _, c, d = np.frombuffer(data, np.int32)[:5].tolist()
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(True, mirror_x=c < 0, mirror_y=b < 0)
        return cls(False, mirror_x=a < 0, mirror_y=d < 0)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """The displayed (width, height) of a stored size, or the reverse."""
        return (height, width) if self.transposed else (width, height)

    def upright(self, pixels: np.ndarray) -> np.ndarray:
        """A stored frame `[H, W, C]` in display orientation."""
        if self.transposed:
            pixels = pixels.swapaxes(0, 1)
        return np.ascontiguousarray(
            pixels[:: -1 if self.mirror_y else 1, :: -1 if self.mirror_x else 1]
        )
