"""Comparison of a model's frames with a rendered clip."""

import dataclasses
from collections.abc import Sequence

import cv2
import jax.numpy as jnp
import numpy as np

from vfi_jax import Interpolator, draw, metrics
from vfi_jax.data.scene import Scene

PART = 2  # a strip shows 1 / PART of the scene's width and height


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A rendered clip and a model's interpolation of it.

    Attributes:
      scene: the rendered scene.
      inputs: uint8 `[H, W, 3]` at times 0, 1, ...; downscaled by the model's scale.
      interpolator: the model's Interpolator.
      model: name of the model.
    """

    scene: Scene
    inputs: Sequence[np.ndarray]
    interpolator: Interpolator
    model: str
    _known: dict[float, np.ndarray] = dataclasses.field(default_factory=dict, init=False)

    def interpolated(self, times: Sequence[float]) -> list[np.ndarray]:
        """The model's frames at ascending `times`; earlier results are cached."""
        missing = [time for time in times if time not in self._known]
        stream = self.interpolator.stream(self.inputs, missing)
        self._known.update(zip(missing, stream, strict=True))
        return [self._known[time] for time in times]

    def enlarged(self, index: int) -> np.ndarray:
        """Input `index` resized to the scene's size, bicubic."""
        size = self.scene.width, self.scene.height
        return cv2.resize(self.inputs[index], size, interpolation=cv2.INTER_CUBIC)

    def psnr(self) -> float:
        """Mean PSNR of the midpoint frames against the exact frames, in dB."""
        times = [index + 0.5 for index in range(len(self.inputs) - 1)]
        pairs = zip(self.interpolated(times), map(self.scene.frame, times), strict=True)
        decibels = [metrics.psnr(jnp.asarray(a / 255), jnp.asarray(exact)) for a, exact in pairs]
        return float(sum(decibels) / len(decibels))

    def side_by_side(self, index: int) -> np.ndarray:
        """The midpoint after frame `index`, interpolated and exact, and their difference."""
        (between,) = self.interpolated([index + 0.5])
        exact = self.scene.frame(index + 0.5)
        error = np.abs(between / 255 - exact)
        flow = self.scene.flow(index, index + 1)
        rows = [
            [
                (f"frame {index}, input", self.enlarged(index)),
                (f"midpoint, {self.model}", between),
                (f"frame {index + 1}, input", self.enlarged(index + 1)),
            ],
            [
                (
                    f"motion from {index} to {index + 1} (colour: direction)",
                    draw.flow_colours(flow),
                ),
                ("half-way, exact", exact),
                ("difference x 4", 4 * error),
            ],
        ]
        return draw.grid(rows, title="Interpolated and exact frame")

    def strip(self, index: int, multi: int, *, zoom: float = 1.5) -> np.ndarray:
        """The region with the largest motion after frame `index`: input, interpolated, exact."""
        rows, columns = self.fastest(index, PART)
        times = [index + step / multi for step in range(multi + 1)]
        inputs = [(f"{time}, input", self.enlarged(time)) for time in (index, index + 1)]
        interpolated = zip(times, self.interpolated(times), strict=True)
        cells: list[list] = [
            [inputs[0], *[None] * (multi - 1), inputs[1]],
            [(f"{time:.2f}, interpolated", picture) for time, picture in interpolated],
            [(f"{time:.2f}, exact", self.scene.frame(time)) for time in times],
        ]
        cells = [[cell and (cell[0], cell[1][rows, columns]) for cell in row] for row in cells]
        return draw.grid(cells, title=f"Frames between two inputs, by {self.model}", zoom=zoom)

    def crops(self, index: int) -> np.ndarray:
        """A magnified crop (1/8) of the midpoint after frame `index`: input, result, exact."""
        rows, columns = self.fastest(index, 4 * PART)
        blend = (self.enlarged(index) / 255 + self.enlarged(index + 1) / 255) / 2
        pictures = {
            "both inputs, bicubic and blended": blend,
            self.model: self.interpolated([index + 0.5])[0],
            "exact": self.scene.frame(index + 0.5),
        }
        cells = [(caption, picture[rows, columns]) for caption, picture in pictures.items()]
        return draw.grid([cells], zoom=6)

    def fastest(self, index: int, part: int) -> tuple[slice, slice]:
        """Slices of the region of 1 / `part` of width and height with the largest motion."""
        height, width = (length // part for length in (self.scene.height, self.scene.width))
        speed = np.hypot(*np.moveaxis(self.scene.flow(index, index + 1), -1, 0))
        whole = cv2.boxFilter(speed, -1, (width, height), borderType=cv2.BORDER_CONSTANT)
        y, x = np.unravel_index(whole.argmax(), whole.shape)
        top = int(np.clip(y - height // 2, 0, self.scene.height - height))
        left = int(np.clip(x - width // 2, 0, self.scene.width - width))
        return slice(top, top + height), slice(left, left + width)
