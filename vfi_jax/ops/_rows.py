"""Working through an image a few rows at a time: it bounds memory and keeps to a CPU's cache.

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


def loop(step: Callable, totals: Any, *, height: int, most: int) -> Any:
    """`totals = step(start, rows, totals)` for every chunk of rows, from the first to the last.

    A loop that cuts its rows from whole arrays and pastes its results into whole arrays; scan and
    map would first set all chunks of all arrays apart, which copies them.

    Args:
      step: takes the first row of its chunk, the number of rows and what the chunk before gave.
      totals: what the first chunk is given.
      height: rows in all.
      most: rows of a chunk; the largest number up to it that divides the height is taken.
    """
    rows = max(count for count in range(1, min(most, height) + 1) if height % count == 0)
    return lax.fori_loop(0, height // rows, lambda i, now: step(i * rows, rows, now), totals)


def cut(array: Array, start: Array, rows: int) -> Array:
    """Rows `start` to `start + rows` of an `[H, ...]`."""
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
    # Like the image, so that under shard_map it varies over the same devices.
    out = jnp.zeros_like(image, row.dtype, shape=(height, *row.shape[1:]))
    return loop(step, out, height=height, most=most)


def _pull(function, most, cotangent, image, *arrays):
    """The gradients, chunk after chunk: nothing is kept from the way forward."""
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
