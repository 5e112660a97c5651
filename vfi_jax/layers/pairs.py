"""Helpers for pairs of images `[B, 2, H, W, C]`: concatenation, warping, downscaling, time."""

import jax.numpy as jnp
from jax import lax

from vfi_jax import ops
from vfi_jax.arrays import Array, Image


def side_by_side(pair: Image) -> Image:
    """`[B, 2, H, W, C]` as `[B, H, W, 2 C]`."""
    return jnp.concatenate([pair[:, 0], pair[:, 1]], axis=-1)


def apart(x: Image) -> Image:
    """`[B, H, W, 2 C]` as `[B, 2, H, W, C]`."""
    return jnp.stack(jnp.split(x, 2, axis=-1), axis=1)


def plane(time: Array | None, like: Image) -> list[Image]:
    """A list of one plane `[B, H, W, 1]` of each example's time; empty if `time` is None."""
    if time is None:
        return []
    return [jnp.broadcast_to(time[:, None, None, None], (*like.shape[:-1], 1))]


def warp_pair(pair: Image, flow: Array) -> Image:
    """Images `[B, 2, H, W, C]` warped by flow `[B, 2, H, W, 2]`, with border padding."""
    return lax.platform_dependent(pair, flow, cpu=_sampled_in_turn, default=_sampled)


def warp_each(pair: Image, flow: Array) -> Image:
    """The same for images `[2, B, H, W, C]` and flow `[2, B, H, W, 2]`, pair axis first."""
    return lax.platform_dependent(pair, flow, cpu=_in_turn, default=_sampled)


def size_of(x: Image) -> tuple[int, int]:
    """Height and width."""
    height, width = x.shape[-3:-1]
    return height, width


def shrunk(x: Image, scale: float) -> Image:
    """Height and width divided by `scale`, bilinear without antialiasing."""
    height, width = size_of(x)
    return ops.resize_bilinear(x, (int(height / scale), int(width / scale)))


def clamp(x: Image) -> Image:
    """Clipped to [0, 1], with PyTorch's gradient: 1 at both ends, where jnp.clip has 0.5."""
    return lax.select(x < 0, jnp.zeros_like(x), lax.select(x > 1, jnp.ones_like(x), x))


def _sampled(frames, flow):
    return ops.backward_warp(frames, flow, padding="border")


def _sampled_in_turn(frames, flow):
    return _in_turn(frames.swapaxes(0, 1), flow.swapaxes(0, 1)).swapaxes(0, 1)


def _in_turn(pair, flow):
    """One frame at a time: the loop stops XLA on a CPU from fusing, which would recompute the flow
    for every pixel read and the warped frame for every use."""
    return lax.map(lambda one: _sampled(*one), (pair, flow))
