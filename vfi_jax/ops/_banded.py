"""Sliding dot products as batched matrix products, whose diagonal band holds the result.

A block of n neighbouring pixels needs n + extra pixels of the other line. One matrix product
computes all n x (n + extra) products, much faster than the needed ones one by one. The needed ones
form a band along the diagonal; a reshape to rows longer by one turns its diagonals into columns.
"""

import jax.numpy as jnp

from vfi_jax.arrays import Array


def windows(x: Array, *, count: int, block: int, extra: int) -> Array:
    """Overlapping windows along the second-to-last axis.

    out[..., b, i, :] = x[..., b * block + i, :] for i < block + extra; 0 past the end of x.

    Returns:
      `[..., count, block + extra, F]` for x `[..., length, F]`.
    """
    *batch, length, features = x.shape
    pieces = 1 + -(-extra // block)
    total = (count + pieces - 1) * block
    x = jnp.pad(x, [(0, 0)] * len(batch) + [(0, max(0, total - length)), (0, 0)])[..., :total, :]
    blocks = x.reshape(*batch, count + pieces - 1, block, features)
    shifted = [
        blocks[..., piece : piece + count, : block + extra - piece * block, :]
        for piece in range(pieces)
    ]
    return jnp.concatenate(shifted, axis=-2)


def band(matrix: Array, count: int) -> Array:
    """The diagonals 0 .. count - 1 as columns: out[..., i, d] = matrix[..., i, i + d]."""
    *batch, height, width = matrix.shape
    flat = matrix.reshape(*batch, height * width)
    flat = jnp.pad(flat, [(0, 0)] * len(batch) + [(0, height)])
    return flat.reshape(*batch, height, width + 1)[..., :count]


def matrix(columns: Array) -> Array:
    """The inverse of `band`: out[..., i, i + d] = columns[..., i, d], 0 elsewhere.

    Returns:
      `[..., n, n + count - 1]` for columns `[..., n, count]`.
    """
    *batch, height, count = columns.shape
    width = height + count - 1
    padded = jnp.pad(columns, [(0, 0)] * (len(batch) + 1) + [(0, width + 1 - count)])
    flat = padded.reshape(*batch, height * (width + 1))[..., : height * width]
    return flat.reshape(*batch, height, width)
