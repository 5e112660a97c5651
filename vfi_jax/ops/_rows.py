"""Processing an image a few rows at a time, which bounds memory and fits a CPU's cache.

All functions take one example.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array


class Plan(NamedTuple):
    """An op's function on rows, and how many rows it takes at once.

    Attributes:
      function: `function(lines, *chunks)` maps R + extra lines of the image and R rows of the other
        arrays to R rows; its derivative is the op's.
      cpu_function: the same function in its fastest form on a CPU.
      cpu_rows: number of rows per call of cpu_function.
      cpu_gradient_rows: number of rows per call of its derivative.
      rows: number of rows on other platforms, where many small steps would be launch bound.
    """

    function: Callable
    cpu_function: Callable
    cpu_rows: int
    cpu_gradient_rows: int
    rows: int


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def run(plan: Plan, image: Array, *arrays: Array) -> Array:
    """Apply the plan to an image `[H + extra, ...]` and arrays `[H, ...]`; returns `[H, ...]`."""
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


def loop(step: Callable, totals: Any, *, height: int, most: int) -> Any:
    """`totals = step(start, rows, totals)` for every chunk of rows, from the first to the last.

    The loop slices rows from whole arrays and writes results into whole arrays. `scan` and `map`
    would first copy all arrays into chunks.

    Args:
      step: takes the first row of its chunk, the number of rows and the totals so far.
      totals: initial value.
      height: total number of rows.
      most: maximum number of rows per chunk; the largest divisor of the height up to it is used.
    """
    rows = max(count for count in range(1, min(most, height) + 1) if height % count == 0)
    return lax.fori_loop(0, height // rows, lambda i, now: step(i * rows, rows, now), totals)


def cut(array: Array, start: Array, rows: int) -> Array:
    """Rows `start` to `start + rows` of an array `[H, ...]`."""
    return lax.dynamic_slice_in_dim(array, start, rows)


def paste(array: Array, part: Array, start: Array) -> Array:
    """`array` with its rows from `start` on replaced by `part`."""
    return lax.dynamic_update_slice_in_dim(array, part, start, axis=0)


def _apply(function, most, image, *arrays):
    height = len(arrays[0])
    extra = len(image) - height

    def step(start, rows, out):
        chunks = (cut(array, start, rows) for array in arrays)
        return paste(out, function(cut(image, start, rows + extra), *chunks), start)

    row = jax.eval_shape(function, image[: 1 + extra], *(array[:1] for array in arrays))
    # Derived from the image, so that under shard_map it varies over the same devices.
    out = jnp.zeros_like(image, row.dtype, shape=(height, *row.shape[1:]))
    return loop(step, out, height=height, most=most)


def _pull(function, most, cotangent, image, *arrays):
    """The gradients, chunk by chunk; the forward pass stores no intermediates."""
    extra = len(image) - len(cotangent)

    def step(start, rows, totals):
        to_image, *to_arrays = totals
        lines = cut(image, start, rows + extra)
        pullback = jax.vjp(function, lines, *(cut(array, start, rows) for array in arrays))[1]
        to_lines, *parts = pullback(cut(cotangent, start, rows))
        to_image = paste(to_image, to_lines + cut(to_image, start, rows + extra), start)
        pairs = zip(to_arrays, parts, strict=True)
        return to_image, *(paste(whole, part, start) for whole, part in pairs)

    totals = jax.tree.map(jnp.zeros_like, (image, *arrays))
    return loop(step, totals, height=len(cotangent), most=most)
