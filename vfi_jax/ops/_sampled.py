"""Weighted sums of gathered pixels and their gradients, for ops with many displaced taps.

An image is a table of pixels `[P, C]`. Points have any shape S; each is a weighted sum of corners.
"""

from typing import NamedTuple

import jax.numpy as jnp

from vfi_jax.arrays import Array


class Corner(NamedTuple):
    """One of the pixels that contribute to each point; every field has shape S.

    Attributes:
      pixel: its row in the table.
      weight: its weight in the sum.
      dx: derivative of the weight with respect to the point's x.
      dy: derivative of the weight with respect to the point's y.
    """

    pixel: Array
    weight: Array
    dx: Array
    dy: Array


class Gradients(NamedTuple):
    """Gradients of sum(cotangent * scale * read(table, corners)).

    Attributes:
      table: `[P, C]`, added to the initial total.
      scale: S.
      x: S, with respect to the points' x.
      y: S, with respect to the points' y.
    """

    table: Array
    scale: Array
    x: Array
    y: Array


def read(table: Array, corners: list[Corner]) -> Array:
    """The points `[*S, C]`: the weighted sum of their corners."""
    total = corners[0].weight[..., None] * table[corners[0].pixel]
    for corner in corners[1:]:
        total += corner.weight[..., None] * table[corner.pixel]
    return total


def pull(
    table: Array, corners: list[Corner], scale: Array, cotangent: Array, total: Array
) -> Gradients:
    """The gradients of the points times `scale` (S); those of the table are added to `total`."""
    ones = jnp.ones(table.shape[-1], table.dtype)
    to_scale = to_x = to_y = jnp.zeros_like(scale)
    for corner in corners:
        # A dot product with ones: a plain sum would run as a scalar loop fused with the gather.
        along = (cotangent * table[corner.pixel]) @ ones
        to_scale += corner.weight * along
        to_x += corner.dx * along
        to_y += corner.dy * along
        share = (corner.weight * scale)[..., None] * cotangent
        total = total.at[corner.pixel].add(share, mode="promise_in_bounds")
    return Gradients(total, to_scale, to_x * scale, to_y * scale)


def beside(position: Array, size: int, *, clamp: bool) -> list[tuple[Array, Array, Array]]:
    """(index, weight, slope of the weight) of the two pixels beside positions on an axis.

    At an integer position the slope is that of the cell above it.

    Args:
      position: any shape, any values.
      size: length of the axis.
      clamp: positions beyond the ends read the nearest end; otherwise positions at or below -1 and
        at or above `size` have weight and slope 0.
    """
    if clamp:
        position = jnp.clip(jnp.where(jnp.isnan(position), 0, position), -1, size)
    else:
        position = jnp.where((position > -1) & (position < size), position, -2)
    low = jnp.floor(position)
    part = position - low
    low = low.astype(jnp.int32)
    sides = []
    for index, weight, sign in ((low, 1 - part, -1.0), (low + 1, part, 1.0)):
        nearest = jnp.clip(index, 0, size - 1)
        here = True if clamp else index == nearest
        slope = jnp.full_like(part, sign)
        sides.append((nearest, jnp.where(here, weight, 0), jnp.where(here, slope, 0)))
    return sides
