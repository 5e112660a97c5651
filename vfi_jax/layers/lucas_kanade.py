"""Closed-form displacement between two nearly aligned images (Lucas-Kanade)."""

import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Flow, Image

NOISE = 0.01  # noise level of intensities in [0, 1]: weaker gradients carry little information
FARTHEST = 1.0  # pixels; the linearisation is not valid for larger displacements
WINDOW = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)  # along each axis


def displacement(image0: Image, image1: Image) -> Flow:
    """The least-squares d with image0(p - d / 2) = image1(p + d / 2) around every pixel p.

    Gradients are taken of the mean of both images, so that swapping the images negates d. Without
    texture d is near zero.

    Args:
      image0: `[B, H, W, C]`, intensities in [0, 1].
      image1: like `image0`.

    Returns:
      `[B, H, W, 2]` (x, y) pixels, each in -1 .. 1.

    Source: Lucas and Kanade 1981, with a window of 5x5 binomial weights.
    """
    # Rows become the last axis: a last axis of three channels is not vectorised on a CPU.
    first, second = (jnp.moveaxis(image, -1, 0) for image in (image0, image1))
    mean, change = (first + second) / 2, second - first
    x, y = _slope(mean, axis=-1), _slope(mean, axis=-2)
    products = jnp.stack([x * x, y * y, x * y, x * change, y * change]).sum(axis=1)
    xx, yy, xy, xt, yt = _smooth(_smooth(products, axis=-1), axis=-2)
    xx, yy = xx + NOISE**2, yy + NOISE**2
    determinant = xx * yy - xy * xy  # at least NOISE^4
    found = jnp.stack([xy * yt - yy * xt, xy * xt - xx * yt], axis=-1) / determinant[..., None]
    return jnp.clip(found, -FARTHEST, FARTHEST)


def _slope(x, *, axis):
    """Central differences with border padding."""
    before, _, after = _neighbours(x, 1, axis)
    return (after - before) / 2


def _smooth(x, *, axis):
    shifted = _neighbours(x, len(WINDOW) // 2, axis)
    return sum(weight * part for weight, part in zip(WINDOW, shifted, strict=True))


def _neighbours(x, reach, axis):
    """`x` shifted by -reach .. reach pixels along an axis, with border padding."""
    pads = [(0, 0)] * x.ndim
    pads[axis] = (reach, reach)
    padded, size = jnp.pad(x, pads, mode="edge"), x.shape[axis]
    return [lax.slice_in_dim(padded, at, at + size, axis=axis) for at in range(2 * reach + 1)]
