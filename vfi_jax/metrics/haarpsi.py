"""HaarPSI: similarity of Haar wavelet coefficients, which correlates well with human ratings."""

import jax
import jax.numpy as jnp

from vfi_jax.arrays import Array, Image
from vfi_jax.metrics import _check, _structure, _window

CONSTANT = 30.0  # C of the paper, for values of 0 to 255
ALPHA = 4.2  # of the paper, slope of the logistic function
FINE, COARSE = (2, 4), 8  # lengths of the Haar filters, in pixels of the halved image


def haarpsi(image: Image, reference: Image, *, peak: float = 1.0) -> Array:
    """Haar wavelet perceptual similarity index: 1 for equal images, 0 for no similarity.

    logit(sum of w sigmoid(alpha s) / sum of w)^2 / alpha^2 over pixels and orientations

    s compares the two finest Haar coefficients of both images, w is the larger coefficient of the
    third scale; colour counts as a third orientation. Images are halved first.

    Args:
      image: `[*B, H, W, C]`, any real type; C is 3 (RGB) or 1.
      reference: the same shape.
      peak: the largest value a pixel can have: 1 for [0, 1], 255 for 8 bit.

    Returns:
      float32 `[*B]`; 1 where both images are black, for which the definition is 0 / 0.

    Raises:
      ValueError: the shapes differ, or the number of channels is neither 1 nor 3.

    Source: Reisenhofer et al. 2018 (arXiv:1607.06140), eq. 10 to 14; border handling as in the
    authors' MATLAB code, four-digit YIQ coefficients as in piq 0.8.
    """
    image, reference = _check.pair(image, reference)
    scale = 255 / peak
    first, second = (
        [_structure.halve(plane) for plane in _structure.planes(one * scale)]
        for one in (image, reference)
    )
    similarities, weights = [], []
    for vertical in (True, False):
        pairs = [[_haar(one[0], n, vertical) for one in (first, second)] for n in FINE]
        similarities.append(_mean_similarity(pairs))
        coarse = [_haar(one[0], COARSE, vertical) for one in (first, second)]
        weights.append(jnp.maximum(*coarse))
    if len(first) == 3:
        pairs = [[_local_mean(one[band]) for one in (first, second)] for band in (1, 2)]
        similarities.append(_mean_similarity(pairs))
        weights.append((weights[0] + weights[1]) / 2)
    parts = list(zip(similarities, weights, strict=True))
    # The score and its complement are summed separately: 1 - score would cancel near 1.
    alike, unlike = (
        sum((w * jax.nn.sigmoid(sign * ALPHA * s)).sum((-2, -1)) for s, w in parts)
        for sign in (1, -1)
    )
    black = unlike == 0
    ratio = jnp.where(black, 1, alike) / jnp.where(black, 1, unlike)
    return jnp.where(black, 1, jnp.square(jnp.log(ratio) / ALPHA))


def _haar(plane, length, vertical):
    """Magnitude of Haar coefficients of filters `length` pixels wide, with the size of `plane`."""
    half = length // 2
    along, across = (-2, -1) if vertical else (-1, -2)
    # An even window has no centre; its origin is MATLAB's.
    padding = (half - 1, half)
    steps = _window.slide(plane, [1.0] * half + [-1.0] * half, along, padding=padding)
    return jnp.abs(_window.slide(steps, [1 / length] * length, across, padding=padding))


def _local_mean(plane):
    for axis in (-2, -1):
        plane = _window.slide(plane, (0.5, 0.5), axis, padding=(0, 1))
    return jnp.abs(plane)


def _mean_similarity(pairs):
    return sum(_structure.similarity(a, b, CONSTANT) for a, b in pairs) / len(pairs)
