"""Peak signal-to-noise ratio."""

import jax.numpy as jnp

from vfi_jax.arrays import Array, Image, Mask
from vfi_jax.metrics import _check

PIXELS = (-3, -2, -1)


def psnr(image: Image, reference: Image, *, peak: float = 1.0, mask: Mask | None = None) -> Array:
    """10 log10(peak^2 / mean squared error over pixels and channels), in dB.

    Args:
      image: `[*B, H, W, C]`, any real type.
      reference: the same shape.
      peak: the largest value a pixel can have: 1 for [0, 1], 255 for 8 bit.
      mask: `[*B, H, W, 1]`, 1 for pixels in the mean; all by default. Deep Voxel Flow evaluates
        with a motion mask.

    Returns:
      float32 `[*B]`; infinite for equal images, NaN for an empty mask.

    Raises:
      ValueError: the shapes differ.

    Source: the usual definition, with one mean over all channels.
    """
    image, reference = _check.pair(image, reference)
    error = jnp.square(image - reference)
    if mask is None:
        mean = jnp.mean(error, axis=PIXELS)
    else:
        mask = jnp.asarray(mask, jnp.float32)
        mean = (error * mask).sum(PIXELS) / (mask.sum(PIXELS) * image.shape[-1])
    return 10 * jnp.log10(peak**2 / mean)
