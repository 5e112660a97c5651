"""GMSD, which penalises local edge distortions more than uniform blur."""

import jax.numpy as jnp

from vfi_jax.arrays import Array, Image
from vfi_jax.metrics import _check, _structure, _window

CONSTANT = 170 / 255**2  # T of the paper, for values of 0 to 1
SMOOTH, STEP = (1 / 3, 1 / 3, 1 / 3), (-1.0, 0.0, 1.0)  # Prewitt's filter


def gmsd(image: Image, reference: Image, *, peak: float = 1.0) -> Array:
    """Gradient magnitude similarity deviation: 0 for equal images, larger is worse.

    The standard deviation over pixels of (2 a b + T) / (a^2 + b^2 + T), where a and b are the
    gradient magnitudes of both images' luma at half size.

    Args:
      image: `[*B, H, W, C]`, any real type; C is 3 (RGB) or 1.
      reference: the same shape.
      peak: the largest value a pixel can have: 1 for [0, 1], 255 for 8 bit.

    Returns:
      float32 `[*B]`.

    Raises:
      ValueError: the shapes differ, or the number of channels is neither 1 nor 3.

    Source: Xue et al. 2014 (arXiv:1308.3052), eq. 4 to 6: the variance is divided by N, as in the
    paper and piq 0.8; the authors' MATLAB code divides by N - 1.
    """
    image, reference = _check.pair(image, reference)
    first, second = (
        _magnitude(_structure.halve(_structure.planes(one / peak)[0])) for one in (image, reference)
    )
    similarity = _structure.similarity(first, second, CONSTANT)
    centred = similarity - similarity.mean((-2, -1), keepdims=True)
    return _root(jnp.square(centred).mean((-2, -1)))


def _magnitude(plane):
    square = 0.0
    for along, across in ((-1, -2), (-2, -1)):
        steps = _window.slide(plane, STEP, along, padding=(1, 1))
        square += jnp.square(_window.slide(steps, SMOOTH, across, padding=(1, 1)))
    return _root(square)


def _root(square):
    """The square root, with a gradient of 0 at 0."""
    safe = jnp.where(square > 0, square, 1)
    return jnp.where(square > 0, jnp.sqrt(safe), 0)
