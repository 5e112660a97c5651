"""Backward warping: sampling an image where a flow points."""

import functools

import jax
import jax.numpy as jnp

from vfi_jax.arrays import Flow, Image, Mask
from vfi_jax.ops import _check, _grid
from vfi_jax.ops._dispatch import dispatch

PADDINGS = ("zeros", "border")


def backward_warp(image: Image, flow: Flow, *, padding: str = "zeros") -> Image:
    """Sample `image` bilinearly where `flow` points.

    out(p) = image(p + flow(p))

    At integer coordinates the derivative is that of the cell that begins there; with "border" it is
    0 on and beyond the edges. The gradient of `image` is summed in a fixed order on a CPU and a TPU
    and in arbitrary order on a GPU, where its last bits vary between runs.

    Args:
      image: `[*B, H, W, C]`, any float type.
      flow: `[*B, H, W, 2]` float32 pixels, (x, y).
      padding: "zeros": the image is 0 outside, fading over one pixel; a flow that is not finite
        gives 0. "border": a point outside takes the value of the nearest edge; a NaN coordinate
        takes that of the left or top edge.

    Returns:
      `[*B, H, W, C]`, the type of `image`.

    Raises:
      ValueError: `flow` does not fit `image`, or `padding` is unknown.

    Example:
      >>> image, flow = jnp.arange(6.0).reshape(2, 3, 1), jnp.tile(jnp.array([1, 0.5]), (2, 3, 1))
      >>> ops.backward_warp(image, flow)[..., 0].tolist()
      [[2.5, 3.5, 0.0], [2.0, 2.5, 0.0]]
      >>> ops.backward_warp(image, flow, padding="border")[..., 0].tolist()
      [[2.5, 3.5, 3.5], [4.0, 5.0, 5.0]]

    Source: Jaderberg et al. 2015, eq. 5.
    """
    image = _check.image(image)
    flow = _check.flow(flow, fit=image)
    _check.one_of(padding, PADDINGS, "padding")
    return dispatch("backward_warp", _backward_warp, image, flow, padding=padding)


def inside(flow: Flow, *, threshold: float) -> Mask:
    """1 where `flow` points into the image, 0 where it points out.

    out(p) = backward_warp(ones, flow)(p) >= threshold

    Args:
      flow: `[*B, H, W, 2]` float32 pixels, (x, y).
      threshold: between 0 and 1; PWC-Net's is 0.9999.

    Returns:
      `[*B, H, W, 1]` float32, without gradient; 0 where the flow is NaN.

    Raises:
      ValueError: `flow` has the wrong shape or type.

    Example:
      >>> ops.inside(jnp.tile(jnp.array([1, 0.25]), (2, 3, 1)), threshold=0.5)[..., 0].tolist()
      [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]

    Source: Sun et al. 2018 (PWC-Net), the mask of its warping layer.
    """
    flow = _check.flow(flow)
    height, width = flow.shape[-3:-1]
    x, y = _grid.points(flow)
    covered = _covered(x, width) * _covered(y, height)
    return (covered >= threshold)[..., None].astype(jnp.float32)


def voxel_warp(frame0: Image, frame1: Image, flow0: Flow, flow1: Flow, weight: Mask) -> Image:
    """Blend two frames, each sampled where its flow points.

    out(p) = weight(p) frame0(p + flow0(p)) + (1 - weight(p)) frame1(p + flow1(p))

    Args:
      frame0: `[*B, H, W, C]`, any float type.
      frame1: like `frame0`.
      flow0: `[*B, H, W, 2]` float32 pixels, (x, y), from the new frame to `frame0`.
      flow1: like `flow0`, to `frame1`.
      weight: `[*B, H, W, 1]`, the share of `frame0`.

    Returns:
      `[*B, H, W, C]`, the type of `frame0`; frames are sampled with border padding.

    Raises:
      ValueError: shapes do not match, or a type is not a float.

    Example:
      >>> frame0, frame1 = jnp.arange(6.0).reshape(2, 3, 1), jnp.zeros((2, 3, 1)).at[1, 1].set(40)
      >>> flow0, flow1 = (jnp.tile(jnp.array(vector), (2, 3, 1)) for vector in ([1.0, 0], [0.0, 1]))
      >>> ops.voxel_warp(frame0, frame1, flow0, flow1, jnp.full((2, 3, 1), 0.75))[..., 0].tolist()
      [[0.75, 11.5, 1.5], [3.0, 13.75, 3.75]]

    Source: Liu et al. 2017 (Deep Voxel Flow).
    """
    frame0 = _check.image(frame0, "frame0")
    frame1 = _check.shaped(_check.image(frame1, "frame1"), frame0.shape, "frame1", to="frame0")
    weight = _check.plane(weight, "weight", fit=frame0, to="frame0").astype(jnp.float32)
    flow0 = _check.flow(flow0, "flow0", fit=frame0, to="frame0")
    flow1 = _check.flow(flow1, "flow1", fit=frame0, to="frame0")
    warped0 = backward_warp(frame0.astype(jnp.float32), flow0, padding="border")
    warped1 = backward_warp(frame1.astype(jnp.float32), flow1, padding="border")
    return (weight * warped0 + (1 - weight) * warped1).astype(frame0.dtype)


def _backward_warp(image, flow, *, padding):
    # The gradient samples the image again instead of storing four copies.
    sample = jax.checkpoint(functools.partial(_sample, clamp=padding == "border"))
    return _grid.each(sample, image.astype(jnp.float32), flow).astype(image.dtype)


def _sample(image, flow, *, clamp):
    left, top, weights = _grid.corners(flow, clamp=clamp)
    pixels = _grid.around(image, left, top)
    return sum(map(_grid.scale, pixels, weights)).reshape(image.shape)


def _covered(x, size):
    """Share of a pixel at x inside the axis 0 .. size - 1; it fades over one pixel at the ends."""
    return jnp.clip(1 - jnp.maximum(-x, x - (size - 1)), 0, 1)
