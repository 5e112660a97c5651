"""Runs a model on windows of any size and number of channels: padding, tiles, flips, channels."""

import functools
import itertools
import logging
from typing import Any

import numpy as np

from vfi_jax.contract import Contract
from vfi_jax.interpolation import invalid, tiles, views
from vfi_jax.interpolation.compiled import Compiled
from vfi_jax.interpolation.padding import Padding, crop, pad

LOG = logging.getLogger(__name__)
GIB = 2**30  # bytes
# Minimum overlap in pixels. A tile extends a third of it beyond its own output: at the midpoint,
# twice that motion between two frames still has its source in the tile.
OVERLAP = 128
# Share of the frame's longer side, because motion in pixels grows with it: 256 pixels for 4K.
OVERLAP_PER_SIDE = 1 / 15
OVERLAP_PER_TILE = 1 / 4  # at most; with half a tile, four times as many pixels are computed
LEAST_TILE = 256  # pixels; smaller tiles would be mostly overlap


class Forward:
    """`(frames, times) -> frames` for windows of any size."""

    def __init__(
        self,
        call: Compiled,
        contract: Contract,
        *,
        padding: Padding,
        ensemble: str,
        tile: int | None,
        overlap: int | None,
        memory: int | None,
        mask: bool,
        carried: bool = False,
    ):
        """Combine a compiled model with padding, tiles and flips; arguments as in `Interpolator`.

        With `carried`, channels past the third are those of `carry`.

        Raises:
          ValueError: an argument is out of range, or the ensemble is unknown.
        """
        views.check(ensemble)
        for name, value in (("tile", tile), ("memory", memory)):
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if overlap is not None and overlap < 0:
            raise ValueError(f"overlap must be at least 0, got {overlap}")
        self._call = call
        self._contract = contract
        self._padding = padding
        self._ensemble = ensemble
        self._mask = mask
        self._carried = carried
        self._tile = tile
        self._overlap = overlap
        self._memory = call.budget() if memory is None else memory
        self._tiling = functools.cache(self._plan)

    @property
    def batch(self) -> int:
        """Number of windows per call."""
        return self._call.batch

    def __call__(self, frames: np.ndarray, times: np.ndarray) -> Any:
        """Run the model on up to a batch of windows.

        Args:
          frames: `[B, N, H, W, C]`, uint8, uint16 or float; the first three channels are RGB; each
            further channel, or each one if there are fewer, is run separately as grey.
          times: `[B, T]`, relative to the windows' first frames.

        Returns:
          `[B, T, sH, sW, C]` float32, not clipped; NumPy or JAX.
        """
        if not self._mask or np.isfinite(frames).all():
            return self._channels(frames, times)
        filled, where = invalid.fill(frames.astype(np.float32))
        answers = self._channels(filled, times)
        return invalid.blank(answers, where, scale=self._contract.scale)

    def _channels(self, frames, times):
        return views.all_channels(
            lambda frames: self._flipped(frames, times), frames, carried=self._carried
        )

    def _flipped(self, frames, times):
        """The mean over the ensemble's flips, applied before padding."""
        return views.all_flips(lambda frames: self._padded(frames, times), frames, self._ensemble)

    def _padded(self, frames, times):
        size = frames.shape[-3:-1]
        amounts = self._padding.amounts(size, multiple=self._contract.multiple)
        whole = self._tiled(pad(frames, amounts, self._padding.value), times)
        scale, value = self._contract.scale, self._padding.value
        return crop(whole, amounts, scale=scale, value=value)

    def _tiled(self, frames, times):
        tiling = self._tiling(frames.shape[1:], times.shape[1])
        if len(tiling) == 1:
            return self._call(frames, times)
        answers = self._answers(tiling, frames, times)
        scale = self._contract.scale
        height, width = (scale * side for side in frames.shape[-3:-1])
        # Tiles are joined in place; stacking windows afterwards would copy them again.
        joined = np.zeros((*times.shape, height, width, frames.shape[-1]), np.float32)
        for whole in joined:
            tiling.join(itertools.islice(answers, len(tiling)), whole, scale=scale)
        return joined

    def _answers(self, tiling, frames, times):
        """Predictions `[T, sh, sw, 3]` for the tiles of all windows, a batch of tiles per call."""
        tiled = (
            (tile, row)
            for window, row in zip(frames, times, strict=True)
            for tile in tiling.split(window)
        )
        while batch := list(itertools.islice(tiled, self._call.batch)):
            tile, row = (np.stack(arrays) for arrays in zip(*batch, strict=True))
            yield from np.asarray(self._call(tile, row))

    def _plan(self, window, requested):
        """The largest tiles that the memory allows for windows of this shape."""
        count, height, width, channels = window
        multiple = self._contract.multiple
        if self._tile is not None:
            size = (self._tile, self._tile)
        else:
            size = tiles.fit(
                lambda size: self._call.needs((count, *size, channels), requested),
                (height, width),
                budget=self._memory,
                least=max(LEAST_TILE, 2 * (self._overlap or 0), 2 * multiple),
                multiple=multiple,
            )
        overlap = default_overlap((height, width), size) if self._overlap is None else self._overlap
        rows, columns = (
            tiles.cut(length, side, overlap=overlap, multiple=multiple)
            for length, side in zip((height, width), size, strict=True)
        )
        tiling = tiles.Tiling(rows, columns)
        if self._tile is None and len(tiling) > 1:
            LOG.info(
                "%dx%d exceeds the memory limit of %.2g GiB: %d tiles of %dx%d, blended",
                *(width, height, self._memory / GIB, len(tiling), *tiling.size[::-1]),
            )
        return tiling


def default_overlap(frame: tiles.Size, tile: tiles.Size) -> int:
    """Overlap in pixels of tiles of a size in a frame of a size, unless it is given."""
    by_frame = max(OVERLAP, round(OVERLAP_PER_SIDE * max(frame)))
    return min(by_frame, max(OVERLAP, round(OVERLAP_PER_TILE * min(tile))))
