"""The four pixels around a point: reading them and adding to them.

Functions on one example; points are `[H, W]` arrays of pixels, images `[H * W, C]`.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from vfi_jax.arrays import Array


class Corner(NamedTuple):
    """One of the four pixels around each of P points.

    Attributes:
      index: `[P]` of the pixel, row by row; clipped to the image.
      weight: `[P]` bilinear weight, 0 outside the image.
      dx: `[P]` derivative of the weight to the point's x.
      dy: `[P]` derivative of the weight to the point's y.
    """

    index: Array
    weight: Array
    dx: Array
    dy: Array


def points(flow: Array) -> tuple[Array, Array]:
    """Where a flow `[*B, H, W, 2]` points: x and y, each `[*B, H, W]`."""
    height, width = flow.shape[-3:-1]
    x = jnp.arange(width, dtype=flow.dtype) + flow[..., 0]
    y = jnp.arange(height, dtype=flow.dtype)[:, None] + flow[..., 1]
    return x, y


def corners(flow: Array, *, clamp: bool) -> list[Corner]:
    """The four pixels around every point p + flow(p).

    Args:
      flow: `[H, W, 2]`.
      clamp: a point outside the image stands for the nearest inside, without derivative; otherwise
        what lies outside has no weight.
    """
    height, width = flow.shape[:2]
    x, y = (axis.reshape(-1) for axis in points(flow))
    axis = _clamped if clamp else _cut
    return [
        Corner(row * width + column, across * down, slope_x * down, across * slope_y)
        for row, down, slope_y in axis(y, height)
        for column, across, slope_x in axis(x, width)
    ]


def each(function: Callable, *arrays: Array) -> Array:
    """`function` of every example: `[*B, H, W, C]` arrays in, one array out.

    A vmap and not one long row of pixels: it lets XLA split the batch over devices.
    """
    batch = arrays[0].shape[:-3]
    for _ in batch:
        function = jax.vmap(function)
    return function(*arrays)


def _cut(x, size):
    """(index, weight, slope) of the two pixels beside x on an axis; no weight outside."""
    # Two pixels out nothing has weight: there is no need to go further, nor to infinity.
    x = jnp.where(jnp.isnan(x), -2, jnp.clip(x, -2, size + 1))
    low = jnp.floor(x)
    part = x - low
    low = low.astype(jnp.int32)
    for index, weight, slope in ((low, 1 - part, -1), (low + 1, part, 1)):
        here = (index >= 0) & (index < size)
        yield (
            jnp.clip(index, 0, size - 1),
            jnp.where(here, weight, 0),
            jnp.where(here, jnp.asarray(slope, x.dtype), 0),
        )


def _clamped(x, size):
    """(index, weight, slope) of the two pixels beside the x that is nearest inside."""
    # PyTorch's border: on the last pixel centre as well as beyond it nothing moves.
    slope = jnp.where((x > 0) & (x < size - 1), jnp.ones_like(x), 0)
    x = jnp.where(jnp.isnan(x), 0, jnp.clip(x, 0, size - 1))
    low = jnp.floor(x)
    part = x - low
    low = low.astype(jnp.int32)
    yield low, 1 - part, -slope
    yield jnp.minimum(low + 1, size - 1), part, slope
