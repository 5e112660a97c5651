"""Luma Y, on which super-resolution and HD benchmarks are scored."""

import jax.numpy as jnp

from vfi_jax.arrays import Image

# Weights of R, G and B and the offset, for RGB in [0, 1] and Y in [0, 1].
STANDARDS = {
    "studio": ((65.481 / 255, 128.553 / 255, 24.966 / 255), 16 / 255),
    "full": ((0.299, 0.587, 0.114), 0.0),
}


def luma(image: Image, *, standard: str = "studio") -> Image:
    """Luma of BT.601.

    "studio": Y = (16 + 65.481 R + 128.553 G + 24.966 B) / 255, from 16/255 to 235/255, as in
      MATLAB's rgb2ycbcr without rounding. "full": Y = 0.299 R + 0.587 G + 0.114 B, as
      scikit-image's rgb2yuv.

    Args:
      image: `[*B, H, W, 3]`, RGB in [0, 1].
      standard: "studio" (Zooming Slow-Mo and its family) or "full" (MEMC-Net's and RIFE's HD set).

    Returns:
      `[*B, H, W, 1]` float32.

    Raises:
      ValueError: the image does not have three channels, or the standard is unknown.

    Source: ITU-R BT.601.
    """
    if image.shape[-1] != 3:
        raise ValueError(f"image must have 3 channels, got {image.shape}")
    if standard not in STANDARDS:
        raise ValueError(f"standard must be one of {sorted(STANDARDS)}, got {standard!r}")
    weights, offset = STANDARDS[standard]
    image = jnp.asarray(image, jnp.float32)
    parts = (weight * image[..., i : i + 1] for i, weight in enumerate(weights))
    return jnp.asarray(sum(parts) + offset)
