"""Frames as the low-resolution files of super-resolution's benchmarks hold them."""

import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Image


def degrade(frames: Image, factor: int) -> Image:
    """Shrink by bicubic interpolation as MATLAB does, and round to 8 bits.

    round(clip(imresize(255 frames, 1 / factor), 0, 255)) / 255, half to even

    Args:
      frames: `[*B, H, W, C]` in [0, 1].
      factor: old size over new size.

    Returns:
      `[*B, ceil(H / factor), ceil(W / factor), C]` float32, multiples of 1 / 255.

    Source: the scripts of Vimeo-90K's and Vid4's low-resolution frames (Xiang et al. 2020).
    """
    # On the scale of 8 bits, where bicubic weights give exact halves and their rounding is defined.
    small = ops.imresize(255 * jnp.asarray(frames, jnp.float32), 1 / factor)
    return jnp.round(jnp.clip(small, 0, 255)) / 255
