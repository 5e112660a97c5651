"""How well the pixels of one feature map match those of another."""

import functools

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Image
from vfi_jax.ops import _banded, _check, _grid, _rows
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
      ValueError: the shapes differ, a type is not a float, or radius is negative.

    Source: Sun et al. 2018 (PWC-Net), eq. 2.
    """
    features0, features1 = _features(features0, features1)
    if radius < 0:
        raise ValueError(f"radius must be at least 0, got {radius}")
    return dispatch("cost_volume", _cost_volume, features0, features1, radius=radius)


def _features(features0, features1):
    features0 = _check.image(features0, "features0")
    features1 = _check.image(features1, "features1")
    return features0, _check.shaped(features1, features0.shape, "features1", to="features0")


def _cost_volume(features0, features1, *, radius):
    return _grid.each(
        functools.partial(_correlate, radius),
        features0.astype(jnp.float32) / features0.shape[-1],
        features1.astype(jnp.float32),
    ).astype(features0.dtype)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _correlate(radius, features0, features1):
    products = functools.partial(_products, radius)
    around = jnp.pad(features1, ((radius, radius), (radius, radius), (0, 0)))
    return lax.platform_dependent(
        around, features0, cpu=functools.partial(_rows.apply, products, rows=1), default=products
    )


def _correlate_forward(radius, *arrays):
    return _correlate(radius, *arrays), arrays


def _correlate_backward(radius, arrays, cotangent):
    products = functools.partial(_products, radius)

    def by_rows(around, features0, cotangent):
        return _rows.pull(products, around, features0, cotangent=cotangent, rows=1)

    def at_once(around, features0, cotangent):
        return jax.vjp(products, around, features0)[1](cotangent)

    features0, features1 = arrays
    height, width, _ = features0.shape
    around = jnp.pad(features1, ((radius, radius), (radius, radius), (0, 0)))
    to_around, to_features0 = lax.platform_dependent(
        around, features0, cotangent, cpu=by_rows, default=at_once
    )
    return to_features0, to_around[radius : radius + height, radius : radius + width]


_correlate.defvjp(_correlate_forward, _correlate_backward)


def _products(radius, around, features0):
    """Blocks of columns against windows radius wider on either side, one displaced row at a time.

    Takes `[R + 2 radius, W + 2 radius, C]` and `[R, W, C]`.
    """
    height, width, channels = features0.shape
    block = min(BLOCK, width)
    count = -(-width // block)
    blocks = jnp.pad(features0, ((0, 0), (0, count * block - width), (0, 0)))
    blocks = blocks.reshape(height, count, block, channels)
    windows = _banded.windows(around, count=count, block=block, extra=2 * radius)
    planes = []
    for dy in range(2 * radius + 1):
        product = jnp.einsum(
            "hbic,hbjc->hbij", blocks, windows[dy : dy + height], precision=lax.Precision.HIGHEST
        )
        planes.append(_banded.band(product, 2 * radius + 1))
    out = jnp.stack(planes, axis=-2).reshape(height, count * block, (2 * radius + 1) ** 2)
    return out[:, :width]
