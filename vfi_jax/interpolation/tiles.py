"""Large frames as overlapping tiles of equal size, blended without seams."""

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np

from vfi_jax.interpolation.padding import round_up

Size = tuple[int, int]  # height, width


@dataclasses.dataclass(frozen=True)
class Cuts:
    """The tiles along one axis of a frame.

    Attributes:
      tile: size of every tile in pixels.
      starts: first pixel of each tile, ascending.
      overlap: minimum overlap of neighbours in pixels.
    """

    tile: int
    starts: tuple[int, ...]
    overlap: int

    def weights(self, scale: int = 1) -> np.ndarray:
        """Blending weights of the tiles, which sum to one at every pixel.

        Between two neighbours the weight changes linearly over a third of `overlap` around the
        centre of the overlap. Nearer to its edge, where context is missing, a tile has weight 0.

        Args:
          scale: output size over input size.

        Returns:
          `[tiles, scale * tile]` float32.
        """
        starts = np.asarray(self.starts)
        pixels = scale * starts[:, None] + np.arange(scale * self.tile) + 0.5
        seams = scale * (starts[:-1] + self.tile + starts[1:]) / 2
        ramp = max(1.0, scale * self.overlap / 3)
        # begun[i, j]: share of pixel j after the seam before tile i.
        begun = np.clip((pixels[None] - seams[:, None, None]) / ramp + 0.5, 0, 1)
        begun = np.concatenate([np.ones_like(pixels)[None], begun, np.zeros_like(pixels)[None]])
        row = np.arange(len(starts))
        return (begun[row, row] - begun[row + 1, row]).astype(np.float32)


def cut(length: int, tile: int, *, overlap: int, multiple: int = 1) -> Cuts:
    """Evenly spaced tiles of equal size that cover an axis.

    They start at multiples of `multiple`, so that a network's strides fall on the same pixels as in
    the whole frame: far enough from its edges, a tile's result equals the frame's.

    Args:
      length: pixels of the axis, a multiple of `multiple`.
      tile: size of a tile in pixels; rounded up to a multiple, and at least two multiples.
      overlap: minimum overlap in pixels; rounded up to a multiple, at most half a tile.
      multiple: the model's required multiple.
    """
    tile = max(2 * multiple, round_up(tile, multiple))
    if tile >= length:
        return Cuts(length, (0,), 0)
    overlap = min(round_up(overlap, multiple), tile // 2 // multiple * multiple)
    steps = math.ceil((length - tile) / (tile - overlap))
    units = (length - tile) // multiple
    starts = tuple(multiple * round(units * step / steps) for step in range(steps + 1))
    return Cuts(tile, starts, overlap)


@dataclasses.dataclass(frozen=True)
class Tiling:
    """The tiles of a frame: the product of `rows` and `columns`."""

    rows: Cuts
    columns: Cuts

    def __len__(self) -> int:
        return len(self.rows.starts) * len(self.columns.starts)

    @property
    def size(self) -> Size:
        """Height and width of a tile."""
        return self.rows.tile, self.columns.tile

    def split(self, frames: np.ndarray) -> Iterator[np.ndarray]:
        """The tiles of frames `[*B, H, W, C]`, row by row."""
        height, width = self.size
        for top, left in itertools.product(self.rows.starts, self.columns.starts):
            yield frames[..., top : top + height, left : left + width, :]

    def join(self, tiles: Iterator[np.ndarray], whole: np.ndarray, *, scale: int = 1) -> None:
        """Blend the tiles' results, in the order of `split`, into `whole`.

        Args:
          tiles: `[*B, sh, sw, C]` each.
          whole: `[*B, sH, sW, C]` float32, zeros; the blended frames are written into it.
          scale: output size over input size.
        """
        rows, columns = self.rows.weights(scale), self.columns.weights(scale)
        for index, tile in enumerate(tiles):
            row, column = divmod(index, len(self.columns.starts))
            top, left = scale * self.rows.starts[row], scale * self.columns.starts[column]
            place = whole[..., top : top + tile.shape[-3], left : left + tile.shape[-2], :]
            place += rows[row][:, None, None] * columns[column][:, None] * tile


def fit(
    needs: Callable[[Size], float], size: Size, *, budget: int, least: int, multiple: int = 1
) -> Size:
    """Approximately the largest tile whose call fits a memory budget.

    Args:
      needs: bytes needed by a call on a tile of a given size; about proportional to its area.
      size: height and width of the whole frame; returned if it fits.
      budget: bytes.
      least: minimum side (unless the frame is smaller).
      multiple: the model's required multiple of the sides.

    Raises:
      ValueError: even the smallest tile does not fit.
    """
    tile = size
    while (needed := needs(tile)) > budget:
        share = 0.9 * budget / needed if math.isfinite(needed) else 0.25
        smaller = _shrink(tile, share, round_up(least, multiple), multiple)
        if smaller == tile:
            raise ValueError(
                f"memory must be at least {needed / 2**20:.0f} MiB, the need of a tile of "
                f"{tile[1]}x{tile[0]}, got {budget / 2**20:.0f} MiB"
            )
        tile = smaller
    return tile


def _shrink(tile, share, least, multiple):
    """A tile of about `share` of the area, closer to a square."""
    height, width = tile
    area = share * height * width
    new_height = max(math.sqrt(area), area / width)
    new = (new_height, area / min(height, new_height))
    return tuple(
        min(old, max(least, int(side) // multiple * multiple))
        for old, side in zip(tile, new, strict=True)
    )
