"""Low-resolution frames as in the files of super-resolution benchmarks."""

import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Image


def degrade(frames: Image, factor: int) -> Image:
    """Downscale with MATLAB's bicubic interpolation and round to 8 bits.

    round(clip(imresize(255 frames, 1 / factor), 0, 255)) / 255, half to even

    Args:
      frames: `[*B, H, W, C]` in [0, 1].
      factor: old size over new size.

    Returns:
      `[*B, ceil(H / factor), ceil(W / factor), C]` float32, multiples of 1 / 255.

    Source: the scripts of Vimeo-90K's and Vid4's low-resolution frames (Xiang et al. 2020).
    """
    # On the 8-bit scale, where bicubic weights can give exact halves, which are rounded to even.
    small = ops.imresize(255 * jnp.asarray(frames, jnp.float32), 1 / factor)
    return jnp.round(jnp.clip(small, 0, 255)) / 255
