"""VIF: share of a reference's visual information preserved in an image."""

import jax.numpy as jnp
import numpy as np

from vfi_jax.arrays import Array, Image
from vfi_jax.metrics import _check, _structure, _window

NOISE = 2.0  # variance of the visual noise, in squared steps of 0 to 255
SMALL = 1e-8  # variance regarded as zero
WINDOWS = (17, 9, 5, 3)  # pixels on a side, at each scale
SMALLEST = 41  # minimum side in pixels, for one window at the coarsest scale


def vif(image: Image, reference: Image, *, peak: float = 1.0) -> Array:
    """Visual information fidelity in the pixel domain: 1 for equal images, 0 for none in common.

    sum log(1 + g^2 r / (v + n)) / sum log(1 + r / n) over four scales and their windows: the
    image is g times the reference plus noise of variance v, r is the reference's variance in a
    window, n the noise of the visual system. An image sharper than the reference can exceed 1.

    Args:
      image: `[*B, H, W, C]`, any real type, at least 41x41; C is 3 (RGB) or 1.
      reference: the same shape.
      peak: the largest value a pixel can have: 1 for [0, 1], 255 for 8 bit.

    Returns:
      float32 `[*B]`; 1 where both images are constant.

    Raises:
      ValueError: the shapes differ, a side is too short, or the number of channels is neither 1 nor
        3.

    Source: Sheikh & Bovik 2006, eq. 5 to 8, on Gaussian pyramids instead of wavelets as the
    authors' vifp_mscale.m and piq 0.8.
    """
    image, reference = _check.pair(image, reference)
    if min(image.shape[-3:-1]) < SMALLEST:
        raise ValueError(
            f"image must be at least {SMALLEST}x{SMALLEST} for four scales, got {image.shape}"
        )
    # Both planes in one array, so that each window compiles once.
    pair = jnp.stack([_structure.planes(one * (255 / peak))[0] for one in (image, reference)])
    kept, total = jnp.float32(0), jnp.float32(0)
    for scale, size in enumerate(WINDOWS):
        window = _gaussian(size)
        if scale:
            pair = _blurred(pair, window)[..., ::2, ::2]
        gain, noise, variance = _channel(pair, window)
        kept += jnp.log1p(jnp.square(gain) * variance / (noise + NOISE)).sum((-2, -1))
        total += jnp.log1p(variance / NOISE).sum((-2, -1))
    return (kept + SMALL) / (total + SMALL)


def _channel(pair, window):
    """In each window: image = gain * reference + noise; gain, variances of noise and reference."""
    # Relative to the plane's mean: in float32 the mean square would swamp the variance.
    a, b = pair - pair[1].mean((-2, -1), keepdims=True)
    mean_a, mean_b, aa, bb, ab = _blurred(jnp.stack([a, b, a * a, b * b, a * b]), window)
    var_a, var_b = jnp.maximum(aa - mean_a**2, 0), jnp.maximum(bb - mean_b**2, 0)
    both = ab - mean_a * mean_b
    gain = both / (var_b + SMALL)
    noise = var_a - gain * both
    flat = var_b < SMALL
    gain, noise = jnp.where(flat, 0, gain), jnp.where(flat, var_a, noise)
    faint = var_a < SMALL
    gain, noise = jnp.where(faint, 0, gain), jnp.where(faint, 0, noise)
    noise = jnp.where(gain < 0, var_a, noise)
    return jnp.maximum(gain, 0), jnp.maximum(noise, SMALL), jnp.where(flat, 0, var_b)


def _blurred(plane, window):
    return _window.slide(_window.slide(plane, window, -1), window, -2)


def _gaussian(size):
    weights = np.exp(-0.5 * ((np.arange(size) - size // 2) / (size / 5)) ** 2)
    return tuple(float(weight) for weight in weights / weights.sum())
