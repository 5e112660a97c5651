"""Parts shared by HaarPSI and GMSD: colour space, downsampling, similarity."""

import jax.numpy as jnp

from vfi_jax.arrays import Array, Image

# Rows: Y, I and Q of R, G and B. The National Television System Committee's matrix, 1953.
YIQ = (
    (0.299, 0.587, 0.114),
    (0.5959, -0.2746, -0.3213),
    (0.2115, -0.5227, 0.3112),
)


def planes(image: Image) -> tuple[Array, ...]:
    """Y, I and Q `[*B, H, W]` of three channels; one channel is returned unchanged.

    Raises:
      ValueError: the number of channels is neither 1 nor 3.
    """
    if image.shape[-1] == 1:
        return (image[..., 0],)
    if image.shape[-1] != 3:
        raise ValueError(f"image must have 1 or 3 channels, got {image.shape}")
    red, green, blue = (image[..., channel] for channel in range(3))
    return tuple(r * red + g * green + b * blue for r, g, b in YIQ)


def halve(plane: Array) -> Array:
    """Means of 2x2 blocks, which model the viewing distance.

    Odd sizes are zero-padded at the end, as by MATLAB's conv2(..., "same").
    """
    height, width = plane.shape[-2:]
    pads = [(0, 0)] * (plane.ndim - 2) + [(0, height % 2), (0, width % 2)]
    plane = jnp.pad(plane, pads)
    rows = (plane[..., ::2, :] + plane[..., 1::2, :]) / 2
    return (rows[..., ::2] + rows[..., 1::2]) / 2


def similarity(a: Array, b: Array, constant: float) -> Array:
    """(2 a b + constant) / (a^2 + b^2 + constant): 1 where both are equal."""
    return (2 * a * b + constant) / (a * a + b * b + constant)
