"""How well the pixels of one feature map match those of another."""

import functools

import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Image
from vfi_jax.ops import _banded, _grid
from vfi_jax.ops._dispatch import dispatch

BLOCK = 16  # columns of a banded product; measured on a CPU


def cost_volume(features0: Image, features1: Image, *, radius: int = 4) -> Image:
    """Correlation of every pixel with the pixels around the same place in the other map.

    out(p, (dy + radius) (2 radius + 1) + dx + radius) = mean over channels of
    features0(p) features1(p + (dx, dy)), for |dx|, |dy| <= radius; features1 is 0 outside.

    Args:
      features0: `[*B, H, W, C]`, any float type.
      features1: `[*B, H, W, C]`.
      radius: the largest displacement, in pixels.

    Returns:
      `[*B, H, W, (2 radius + 1)^2]`, the type of `features0`; summed in float32.

    Raises:
      ValueError: the shapes differ, or radius is negative.

    Source: Sun et al. 2018 (PWC-Net), eq. 2.
    """
    if features0.shape != features1.shape:
        raise ValueError(f"features1 must be {features0.shape} as features0, got {features1.shape}")
    if radius < 0:
        raise ValueError(f"radius must be at least 0, got {radius}")
    return dispatch("cost_volume", _cost_volume, features0, features1, radius=radius)


def _cost_volume(features0, features1, *, radius):
    return _grid.each(
        functools.partial(_correlate, radius=radius),
        features0.astype(jnp.float32) / features0.shape[-1],
        features1.astype(jnp.float32),
    ).astype(features0.dtype)


def _correlate(features0, features1, *, radius):
    height, width, channels = features0.shape
    block = min(BLOCK, width)
    count = -(-width // block)
    blocks = jnp.pad(features0, ((0, 0), (0, count * block - width), (0, 0)))
    blocks = blocks.reshape(height, count, block, channels)
    around = jnp.pad(features1, ((radius, radius), (radius, radius), (0, 0)))
    windows = _banded.windows(around, count=count, block=block, extra=2 * radius)
    planes = []
    for dy in range(2 * radius + 1):
        product = jnp.einsum(
            "hbic,hbjc->hbij", blocks, windows[dy : dy + height], precision=lax.Precision.HIGHEST
        )
        planes.append(_banded.band(product, 2 * radius + 1))
    out = jnp.stack(planes, axis=-2).reshape(height, count * block, (2 * radius + 1) ** 2)
    return out[:, :width]
