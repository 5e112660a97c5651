"""Losses on flows and on the masks that go with them."""

import jax.numpy as jnp

from vfi_jax.arrays import Array, Image


def total_variation(field: Image, *, eps: float = 1e-3) -> Array:
    """How much a flow or a mask changes from pixel to pixel, in Charbonnier form.

    mean sqrt(dx^2 + eps^2) + mean sqrt(dy^2 + eps^2), with dx and dy the differences of horizontal
    and of vertical neighbours.

    Args:
      field: `[*B, H, W, C]`, H and W at least 2.
      eps: in units of `field`; it is squared here.

    Returns:
      Float32 scalar; 2 eps where `field` is constant.

    Raises:
      ValueError: a side is a single pixel, which has no neighbour.

    Source: Liu et al. 2017 (arXiv:1702.02463), sec. 3.2.
    """
    if min(field.shape[-3:-1]) < 2:
        raise ValueError(f"field must be at least 2 pixels high and wide, got {field.shape}")
    field = field.astype(jnp.float32)
    across = field[..., :, 1:, :] - field[..., :, :-1, :]
    down = field[..., 1:, :, :] - field[..., :-1, :, :]
    return _charbonnier(across, eps) + _charbonnier(down, eps)


def _charbonnier(step, eps):
    return jnp.sqrt(jnp.square(step) + eps**2).mean()
