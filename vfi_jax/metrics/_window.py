"""Weighted sums over a window that slides along one axis."""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array


def slide(
    array: Array,
    weights: Sequence[float],
    axis: int,
    *,
    padding: tuple[int, int] = (0, 0),
    mode: str = "constant",
) -> Array:
    """The correlation of `array` with `weights` along `axis`, exact in float32 on every device.

    Args:
      array: any shape.
      weights: weights of the window.
      axis: from the right.
      padding: elements added before and after; (0, 0) keeps only complete windows.
      mode: padding mode of `jnp.pad`.
    """
    if padding != (0, 0):
        pads = [(0, 0)] * array.ndim
        pads[axis] = padding
        array = jnp.pad(array, pads, mode=mode)
    length = array.shape[axis] - len(weights) + 1
    cut: Callable = lax.slice_in_dim
    parts = (
        weight * cut(array, start, start + length, axis=axis % array.ndim)
        for start, weight in enumerate(weights)
    )
    return sum(parts)
