"""Working through an image a few rows at a time: it bounds memory and keeps to a CPU's cache.

All functions take one example.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array


class Plan(NamedTuple):
    """How an op works through its rows, and how many it takes at once.

    Attributes:
      function: `function(lines, *chunks)` of R + extra lines of the image and R rows of the other
        arrays gives R rows; its derivative is the op's.
      cpu_function: the same in the form that is the fastest on a CPU.
      cpu_rows: for cpu_function.
      cpu_gradient_rows: for the derivative on a CPU.
      rows: on other platforms, where many small steps would cost more than their work.
    """

    function: Callable
    cpu_function: Callable
    cpu_rows: int
    cpu_gradient_rows: int
    rows: int


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def run(plan: Plan, image: Array, *arrays: Array) -> Array:
    """The rows `[H, ...]` of an image `[H + extra, ...]` and arrays `[H, ...]`."""
    return lax.platform_dependent(
        image,
        *arrays,
        cpu=functools.partial(_apply, plan.cpu_function, plan.cpu_rows),
        default=functools.partial(_apply, plan.function, plan.rows),
    )


def _forward(plan, *arrays):
    return run(plan, *arrays), arrays


def _backward(plan, arrays, cotangent):
    return lax.platform_dependent(
        cotangent,
        *arrays,
        cpu=functools.partial(_pull, plan.function, plan.cpu_gradient_rows),
        default=functools.partial(_pull, plan.function, plan.rows),
    )


run.defvjp(_forward, _backward)


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


def _apply(function, rows, image, *arrays):
    extra = len(image) - len(arrays[0])

    def one(chunk):
        start, *chunks = chunk
        lines = lax.dynamic_slice_in_dim(image, start, len(chunks[0]) + extra)
        return function(lines, *chunks)

    out = lax.map(one, split(rows, *arrays))
    return out.reshape(-1, *out.shape[2:])


def _pull(function, rows, cotangent, image, *arrays):
    """The gradients, chunk after chunk: nothing is kept from the way forward."""
    extra = len(image) - len(arrays[0])

    def one(total, chunk):
        start, part, *chunks = chunk
        lines = lax.dynamic_slice_in_dim(image, start, len(part) + extra)
        to_lines, *to_chunks = jax.vjp(function, lines, *chunks)[1](part)
        to_lines += lax.dynamic_slice_in_dim(total, start, len(part) + extra)
        return lax.dynamic_update_slice_in_dim(total, to_lines, start, axis=0), to_chunks

    total, parts = lax.scan(one, jnp.zeros_like(image), split(rows, cotangent, *arrays))
    return total, *(part.reshape(array.shape) for part, array in zip(parts, arrays, strict=True))
