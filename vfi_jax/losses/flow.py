"""Losses on flows and masks."""

import jax.numpy as jnp

from vfi_jax.arrays import Array, Image


def total_variation(field: Image, *, eps: float = 1e-3) -> Array:
    """Total variation of a flow or mask, in Charbonnier form.

    mean sqrt(dx^2 + eps^2) + mean sqrt(dy^2 + eps^2), where dx and dy are the differences of
    horizontal and vertical neighbours.

    Args:
      field: `[*B, H, W, C]`, H and W at least 2.
      eps: in units of `field`; it is squared here.

    Returns:
      Float32 scalar; 2 eps where `field` is constant.

    Raises:
      ValueError: height or width is below 2.

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
