"""How well the pixels of one feature map match those of another."""

import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Image
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
    *batch, height, width, channels = features0.shape
    block = max(BLOCK, 2 * radius)
    blocks = -(-width // block)
    right = blocks * block - width
    # A block of columns of features0 meets a window of features1, radius wider on either side; all
    # products are one matrix product, whose diagonal band is what is wanted.
    left = _pad(features0 / channels, (0, 0), (0, right))
    left = left.reshape(*batch, height, blocks, block, channels)
    windows = _pad(features1, (radius, radius), (radius, right + block - radius))
    windows = windows.reshape(*batch, height + 2 * radius, -1, block, channels)
    windows = jnp.concatenate(
        [windows[..., :blocks, :, :], windows[..., 1 : blocks + 1, : 2 * radius, :]], axis=-2
    )
    rows = []
    for dy in range(2 * radius + 1):
        product = jnp.einsum(
            "...ic,...jc->...ij",
            left,
            windows[..., dy : dy + height, :, :, :],
            precision=lax.Precision.HIGHEST,
            preferred_element_type=jnp.float32,
        )
        rows.append(_band(product, 2 * radius + 1))
    out = jnp.stack(rows, axis=-2)
    out = out.reshape(*batch, height, blocks * block, (2 * radius + 1) ** 2)
    return out[..., :width, :].astype(features0.dtype)


def _band(product, count):
    """out[i, d] = product[i, i + d] for d < count: rows one longer line the diagonals up."""
    *batch, height, width = product.shape
    flat = product.reshape(*batch, height * width)
    flat = jnp.pad(flat, [(0, 0)] * len(batch) + [(0, height)])
    return flat.reshape(*batch, height, width + 1)[..., :count]


def _pad(x, rows, columns):
    return jnp.pad(x, [(0, 0)] * (x.ndim - 3) + [rows, columns, (0, 0)])
