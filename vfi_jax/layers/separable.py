"""What SepConv and SepConv++ share: filtering by kernels of each pixel's own, and their start."""

from typing import Any

import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Image


def filtered(image: Image, vertical: Array, horizontal: Array) -> Image:
    """An image `[*B, H, W, C]`, its edges repeated, filtered by two 1-D kernels of every pixel.

    Args:
      image: any channels.
      vertical: `[*B, H, W, taps]`, taps odd.
      horizontal: like `vertical`.
    """
    reach = vertical.shape[-1] // 2
    widths = [(0, 0)] * (image.ndim - 3) + [(reach, reach), (reach, reach), (0, 0)]
    return ops.adaptive_separable_conv(jnp.pad(image, widths, mode="edge"), vertical, horizontal)


def averaging(key: Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Array:
    """A kernel that takes a pixel as it is, so that training starts from the mean of the frames.

    From noise the kernels first have to learn to copy at all. How the authors started is not known.
    """
    (taps,) = shape
    return jnp.sqrt(jnp.zeros(shape, dtype).at[taps // 2].set(0.5))
