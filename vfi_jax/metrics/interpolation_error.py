"""Interpolation error, as defined by Middlebury and as computed by later code."""

import jax.numpy as jnp

from vfi_jax.arrays import Array, Image
from vfi_jax.metrics import _check

CONVENTIONS = ("absolute", "rms", "rms_rgb")
GRADIENTS = ("central", "forward")
PIXELS = (-3, -2, -1)


def interpolation_error(image: Image, reference: Image, *, convention: str = "absolute") -> Array:
    """Interpolation error (IE) of a frame, in the units of the images.

    Args:
      image: `[*B, H, W, C]`; tables use rounded 8-bit RGB.
      reference: the same shape.
      convention: "absolute": mean |d| over pixels and channels, reported as IE by DAIN, MEMC-Net,
        RIFE and EMA-VFI (about 2 on Middlebury OTHER); "rms": root mean square over pixels and
        channels; "rms_rgb": root of the mean over pixels of the squared RGB distance, the
        benchmark's definition (sqrt(3) times "rms"; equal to it for one grey channel).

    Returns:
      float32 `[*B]`.

    Raises:
      ValueError: the shapes differ, or an unknown convention.

    Source: Baker et al. 2011, sec. 4.1.
    """
    image, reference = _check.pair(image, reference)
    if convention not in CONVENTIONS:
        raise ValueError(f"convention must be one of {CONVENTIONS}, got {convention!r}")
    difference = image - reference
    if convention == "absolute":
        return jnp.abs(difference).mean(PIXELS)
    channels = image.shape[-1] if convention == "rms_rgb" else 1
    return jnp.sqrt(channels * jnp.square(difference).mean(PIXELS))


def normalised_interpolation_error(
    image: Image, reference: Image, *, gradient: str = "central", eps: float = 1.0
) -> Array:
    """Interpolation error normalised by the gradient of the reference.

    sqrt(mean over pixels of |image - reference|^2 / (|grad reference|^2 + eps))

    Args:
      image: `[*B, H, W, C]`, 0 to 255.
      reference: the same shape, H and W at least 2.
      gradient: "central" differences, one-sided at the border, or "forward", 0 at the last row and
        column; the paper does not specify a stencil.
      eps: added to the denominator, in squared units of the images.

    Returns:
      float32 `[*B]`.

    Raises:
      ValueError: the shapes differ, or an unknown gradient.

    Source: Baker et al. 2011, sec. 4.1; the squared gradients of the colour bands are summed.
    """
    image, reference = _check.pair(image, reference)
    if gradient not in GRADIENTS:
        raise ValueError(f"gradient must be one of {GRADIENTS}, got {gradient!r}")
    slopes = [_slope(reference, axis, gradient) for axis in (-3, -2)]
    steepness = sum(jnp.square(slope).sum(-1) for slope in slopes)
    error = jnp.square(image - reference).sum(-1)
    return jnp.sqrt((error / (steepness + eps)).mean((-2, -1)))


def _slope(image, axis, gradient):
    if gradient == "central":
        return jnp.gradient(image, axis=axis)
    last = jnp.take(image, jnp.array([-1]), axis=axis)
    return jnp.diff(image, axis=axis, append=last)
