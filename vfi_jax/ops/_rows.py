"""Working through an image a few rows at a time: it bounds memory and keeps to a CPU's cache."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array


def split(rows: int, *arrays: Array) -> tuple[Array, ...]:
    """(first row of each chunk, the chunks of each `[H, ...]` array).

    Args:
      rows: most rows of a chunk; the largest number that divides H is taken.
      *arrays: as high as one another.

    Returns:
      `[H / rows]` and `[H / rows, rows, ...]` each.
    """
    height = len(arrays[0])
    rows = max(count for count in range(1, min(rows, height) + 1) if height % count == 0)
    chunks = (array.reshape(-1, rows, *array.shape[1:]) for array in arrays)
    return jnp.arange(0, height, rows), *chunks


def apply(function: Callable, image: Array, *arrays: Array, rows: int) -> Array:
    """`function(lines, *chunks)` of every chunk of rows, one after the other.

    Args:
      function: of R + extra lines of the image and R rows of each array; gives R rows.
      image: `[H + extra, ...]`.
      *arrays: `[H, ...]`.
      rows: most rows of a chunk.

    Returns:
      `[H, ...]`.
    """
    extra = len(image) - len(arrays[0])

    def one(chunk):
        start, *chunks = chunk
        lines = lax.dynamic_slice_in_dim(image, start, len(chunks[0]) + extra)
        return function(lines, *chunks)

    out = lax.map(one, split(rows, *arrays))
    return out.reshape(-1, *out.shape[2:])


def pull(
    function: Callable, image: Array, *arrays: Array, cotangent: Array, rows: int
) -> tuple[Array, ...]:
    """The gradients of `apply`, chunk after chunk: nothing is kept from its way forward."""
    extra = len(image) - len(arrays[0])

    def one(total, chunk):
        start, part, *chunks = chunk
        lines = lax.dynamic_slice_in_dim(image, start, len(part) + extra)
        to_lines, *to_chunks = jax.vjp(function, lines, *chunks)[1](part)
        to_lines += lax.dynamic_slice_in_dim(total, start, len(part) + extra)
        return lax.dynamic_update_slice_in_dim(total, to_lines, start, axis=0), to_chunks

    total, parts = lax.scan(one, jnp.zeros_like(image), split(rows, cotangent, *arrays))
    return total, *(part.reshape(array.shape) for part, array in zip(parts, arrays, strict=True))
