"""Weighted sums of scattered pixels and their gradients, for the ops that move many taps.

An image is a table of pixels `[P, C]`. Points are of any shape S; each is a sum of corners.
"""

from typing import NamedTuple

import jax.numpy as jnp

from vfi_jax.arrays import Array


class Corner(NamedTuple):
    """One of the pixels that each point is made of; S each.

    Attributes:
      pixel: its row in the table.
      weight: how much of it is taken.
      dx: derivative of the weight to the point's x.
      dy: derivative of the weight to the point's y.
    """

    pixel: Array
    weight: Array
    dx: Array
    dy: Array


class Gradients(NamedTuple):
    """Of sum(cotangent * scale * read(table, corners)).

    Attributes:
      table: `[P, C]`, added to what was there.
      scale: S.
      x: S, of the points' x.
      y: S, of the points' y.
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
        # A dot with ones: XLA would sum inside the loop that gathers, number after number.
        along = (cotangent * table[corner.pixel]) @ ones
        to_scale += corner.weight * along
        to_x += corner.dx * along
        to_y += corner.dy * along
        share = (corner.weight * scale)[..., None] * cotangent
        total = total.at[corner.pixel].add(share, mode="promise_in_bounds")
    return Gradients(total, to_scale, to_x * scale, to_y * scale)


def beside(position: Array, size: int, *, clamp: bool) -> list[tuple[Array, Array, Array]]:
    """(index, weight, slope of the weight) of the two pixels beside positions on an axis.

    At a whole position the slope is that of the cell above it.

    Args:
      position: any shape, any values.
      size: of the axis.
      clamp: beyond the ends, the nearest end; otherwise nothing there has weight or slope, nor has
        -1 itself.
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
