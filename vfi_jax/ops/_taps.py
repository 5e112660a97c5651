"""Kernels whose taps move per pixel: functions on one example, in float32.

The gradients process one tap at a time. All taps at once would need slower scatters on a CPU,
seconds of compilation and memory for all products.
"""

import functools
import math

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.ops import _grid, _sampled


@jax.custom_vjp
def filter_around(image, flow, kernel):
    """`adaptive_warp`: `[H, W, C]`, `[H, W, 2]`, `[H, W, F * F]` to `[H, W, C]`."""
    table = image.reshape(-1, image.shape[-1])
    valid, corner = _filter_taps(flow, math.isqrt(kernel.shape[-1]))
    out = jnp.zeros_like(image)
    for tap in range(kernel.shape[-1]):
        out += kernel[..., tap, None] * _sampled.read(table, [corner(tap)])
    return jnp.where(valid[..., None], out, image)


def _filter_forward(*arrays):
    return filter_around(*arrays), arrays


def _filter_backward(arrays, cotangent):
    image, flow, kernel = arrays
    table = image.reshape(-1, image.shape[-1])
    valid, corner = _filter_taps(flow, math.isqrt(kernel.shape[-1]))
    copied = jnp.where(valid[..., None], 0, cotangent)

    def one(totals, tap):
        to_table, to_flow = totals
        number, weight = tap
        found = _sampled.pull(table, [corner(number)], weight, cotangent - copied, to_table)
        return (found.table, to_flow + jnp.stack([found.x, found.y], axis=-1)), found.scale

    totals = copied.reshape(table.shape), jnp.zeros_like(flow)
    taps = jnp.arange(kernel.shape[-1]), jnp.moveaxis(kernel, -1, 0)
    (to_table, to_flow), to_kernel = lax.scan(one, totals, taps)
    return to_table.reshape(image.shape), to_flow, jnp.moveaxis(to_kernel, 0, -1)


filter_around.defvjp(_filter_forward, _filter_backward)


def _filter_taps(flow, side):
    """The mask of filtered (not copied) pixels, and a function from index to tap."""
    height, width = flow.shape[:2]
    x, y = _grid.points(flow)
    valid = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    valid &= (jnp.abs(flow[..., 0]) < width / 2) & (jnp.abs(flow[..., 1]) < height / 2)
    x, y = jnp.where(valid, x, 0), jnp.where(valid, y, 0)

    def along(position, size, step):
        low = position.astype(jnp.int32)
        part = position - low.astype(position.dtype)
        near = step <= 0  # the nearer half of the kernel weighs 1 - fraction
        weight = jnp.where(near, 1 - part, part)
        return jnp.clip(low + step, 0, size - 1), weight, jnp.where(near, -1.0, 1.0)

    def corner(tap):
        first = 1 - side // 2
        row, down, slope_y = along(y, height, tap // side + first)
        column, across, slope_x = along(x, width, tap % side + first)
        return _sampled.Corner(
            row * width + column, across * down, slope_x * down, across * slope_y
        )

    return valid, corner


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def collect(dilation, image, weight, offset):
    """`adaptive_flow_conv`: `[H, W, C]`, `[H, W, K * K]`, `[H, W, K * K * 2]` to `[H, W, C]`."""
    table = image.reshape(-1, image.shape[-1])

    def one(total, tap):
        number, weight, moved = tap
        corners = _flow_corners(dilation, image.shape, len(offsets), number, moved)
        return total + weight[..., None] * _sampled.read(table, corners), None

    weights, offsets = _tap_first(weight), _tap_first(offset, 2)
    taps = jnp.arange(len(weights)), weights, offsets
    return lax.scan(one, jnp.zeros_like(image), taps)[0]


def _collect_forward(dilation, *arrays):
    return collect(dilation, *arrays), arrays


def _collect_backward(dilation, arrays, cotangent):
    image, weight, offset = arrays
    table = image.reshape(-1, image.shape[-1])

    def one(to_table, tap):
        number, weight, moved = tap
        corners = _flow_corners(dilation, image.shape, len(offsets), number, moved)
        found = _sampled.pull(table, corners, weight, cotangent, to_table)
        return found.table, (found.scale, jnp.stack([found.y, found.x], axis=-1))

    weights, offsets = _tap_first(weight), _tap_first(offset, 2)
    taps = jnp.arange(len(weights)), weights, offsets
    to_table, (to_weights, to_offsets) = lax.scan(one, jnp.zeros_like(table), taps)
    to_weight = jnp.moveaxis(to_weights, 0, -1)
    to_offset = jnp.moveaxis(to_offsets, 0, -2).reshape(offset.shape)
    return to_table.reshape(image.shape), to_weight, to_offset


collect.defvjp(_collect_forward, _collect_backward)


def _tap_first(array, numbers=1):
    """`[H, W, taps * numbers]` as `[taps, H, W(, numbers)]`."""
    if numbers == 1:
        return jnp.moveaxis(array, -1, 0)
    return jnp.moveaxis(array.reshape(*array.shape[:2], -1, numbers), -2, 0)


def _flow_corners(dilation, shape, taps, tap, moved):
    """The pixels around tap number `tap` of every pixel, moved by `[H, W, 2]` (y, x)."""
    height, width, _ = shape
    side = math.isqrt(taps)
    y = jnp.arange(height)[:, None] + dilation * (tap // side - side // 2)
    x = jnp.arange(width)[None] + dilation * (tap % side - side // 2)
    y, x = y.astype(moved.dtype) + moved[..., 0], x.astype(moved.dtype) + moved[..., 1]
    return [
        _sampled.Corner(row * width + column, across * down, slope_x * down, across * slope_y)
        for row, down, slope_y in _sampled.beside(y, height, clamp=True)
        for column, across, slope_x in _sampled.beside(x, width, clamp=True)
    ]
