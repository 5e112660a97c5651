"""Projecting a flow onto the frame that it crosses half-way: what DAIN and MEMC-Net call it."""

import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Flow, Image, Mask
from vfi_jax.ops import _check, _grid

DIRECTIONS = ("left", "right", "up", "down")


def flow_projection(
    flow: Flow, *, fill_holes: bool = False, fill_from: tuple[str, ...] = DIRECTIONS
) -> Flow:
    """Minus the average of the flows that land around each pixel.

    Args:
      flow: `[*B, H, W, 2]` float32 pixels, (x, y).
      fill_holes: fill.
      fill_from: directions.

    Returns:
      `[*B, H, W, 2]`.

    Source: Bao et al. 2019 (MEMC-Net), eq. 3.
    """
    flow = _check.flow(flow)
    weight = jnp.ones_like(flow[..., :1])
    return _projection(flow, weight, fill_holes, fill_from)


def depth_flow_projection(flow: Flow, weight: Mask, *, fill_holes: bool = False) -> Flow:
    """Minus the weighted average of the flows that land around each pixel.

    Args:
      flow: `[*B, H, W, 2]` float32 pixels, (x, y).
      weight: `[*B, H, W, 1]`.
      fill_holes: fill.

    Returns:
      `[*B, H, W, 2]`.

    Source: Bao et al. 2019 (DAIN), eq. 1.
    """
    flow = _check.flow(flow)
    weight = _check.plane(weight, "weight", fit=flow, to="flow")
    return _projection(flow, weight, fill_holes, DIRECTIONS)


def fill_holes(
    flow: Image, valid: Mask, *, fill_from: tuple[str, ...] = DIRECTIONS
) -> Image:
    """Fill holes with the mean of the nearest valid pixels of the same row and column.

    Args:
      flow: `[*B, H, W, C]`.
      valid: `[*B, H, W, 1]`, above 0 where `flow` is known.
      fill_from: directions.

    Returns:
      `[*B, H, W, C]`.

    Source: Bao et al. 2019 (MEMC-Net).
    """
    here = valid > 0
    height, width = flow.shape[-3:-1]
    columns = jnp.broadcast_to(jnp.arange(width)[:, None], here.shape)
    rows = jnp.broadcast_to(jnp.arange(height)[:, None, None], here.shape)
    total, count = 0.0, 0.0
    for direction in fill_from:
        axis = here.ndim - (2 if direction in ("left", "right") else 3)
        position = columns if direction in ("left", "right") else rows
        if direction in ("left", "up"):
            nearest = lax.cummax(jnp.where(here, position, -1), axis=axis)
            found = nearest >= 0
        else:
            size = here.shape[axis]
            nearest = lax.cummin(jnp.where(here, position, size), axis=axis, reverse=True)
            found = nearest < size
        value = jnp.take_along_axis(flow, jnp.clip(nearest, 0, here.shape[axis] - 1), axis=axis)
        total += jnp.where(found, value, 0)
        count += found
    filled = total / jnp.maximum(count, 1)
    return jnp.where(here, flow, filled)


def _projection(flow, weight, fill, fill_from):
    total = _grid.each(_land, jnp.concatenate([-flow * weight, weight], -1), flow)
    count = total[..., 2:]
    out = jnp.where(count > 0, total[..., :2] / jnp.where(count > 0, count, 1), 0)
    return fill_holes(out, count, fill_from=fill_from) if fill else out


def _land(values, flow):
    height, width = flow.shape[:2]
    x, y = _grid.points(flow)
    lands = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    left = jnp.where(lands, x, 0).astype(jnp.int32)
    top = jnp.where(lands, y, 0).astype(jnp.int32)
    values = jnp.where(lands[..., None], values, 0)
    out = jnp.zeros_like(values)
    for row in (top, jnp.minimum(top + 1, height - 1)):
        for column in (left, jnp.minimum(left + 1, width - 1)):
            out = out.at[row, column].add(values)
    return out
