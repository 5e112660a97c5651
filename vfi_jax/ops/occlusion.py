"""Occlusions from the disagreement of forward and backward flow."""

import jax.numpy as jnp

from vfi_jax.arrays import Flow, Mask
from vfi_jax.ops import _check
from vfi_jax.ops.warp import backward_warp, inside


def forward_backward_error(flow01: Flow, flow10: Flow) -> Mask:
    """Distance between a pixel and its position after following both flows in turn.

    out(p) = |flow01(p) + flow10(p + flow01(p))|, with flow10 sampled with border padding

    Args:
      flow01: `[*B, H, W, 2]` float32 pixels, (x, y), frame 0 to frame 1.
      flow10: like `flow01`, frame 1 to frame 0.

    Returns:
      `[*B, H, W, 1]` float32 pixels; NaN where either flow is NaN.

    Raises:
      ValueError: shapes or types do not fit.

    Example:
      >>> there = jnp.tile(jnp.array([1.0, 0]), (1, 3, 1))
      >>> back = jnp.array([[[0.0, 0], [-1, 3], [3, 0]]])
      >>> ops.forward_backward_error(there, back)[..., 0].tolist()
      [[3.0, 4.0, 4.0]]

    Source: Sundaram et al. 2010 (dense point trajectories).
    """
    flow01 = _check.flow(flow01, "flow01")
    flow10 = _check.flow(flow10, "flow10", fit=flow01, to="flow01")
    back = backward_warp(flow10, flow01, padding="border")
    square = jnp.sum(jnp.square(flow01 + back), axis=-1, keepdims=True)
    none = square == 0  # the square root has no derivative at 0
    return jnp.where(none, 0, jnp.sqrt(jnp.where(none, 1, square)))


def occlusion_mask(
    flow01: Flow, flow10: Flow, *, relative: float = 0.01, absolute: float = 0.5
) -> Mask:
    """1 where a pixel of frame 0 is occluded in frame 1 or leaves the image.

    |flow01(p) + back(p)|^2 > relative (|flow01(p)|^2 + |back(p)|^2) + absolute, with
    back(p) = flow10(p + flow01(p)); or p + flow01(p) is outside by half a pixel or more

    Args:
      flow01: `[*B, H, W, 2]` float32 pixels, (x, y), frame 0 to frame 1.
      flow10: like `flow01`, frame 1 to frame 0.
      relative: tolerance relative to the squared lengths of the flows.
      absolute: absolute tolerance, in pixels squared.

    Returns:
      `[*B, H, W, 1]` float32, without gradient; 1 where a flow is not finite.

    Raises:
      ValueError: shapes or types do not fit.

    Example:
      >>> there = jnp.tile(jnp.array([1.0, 0]), (1, 3, 1))
      >>> back = jnp.array([[[0.0, 0], [-1, 0], [3, 0]]])
      >>> ops.occlusion_mask(there, back)[..., 0].tolist()
      [[0.0, 1.0, 1.0]]

    Source: Sundaram et al. 2010 (dense point trajectories), including the threshold.
    """
    flow01 = _check.flow(flow01, "flow01")
    flow10 = _check.flow(flow10, "flow10", fit=flow01, to="flow01")
    back = backward_warp(flow10, flow01, padding="border")

    def square(flow):
        return jnp.sum(jnp.square(flow), axis=-1, keepdims=True)

    lengths = square(flow01) + square(back)
    differ = square(flow01 + back) > relative * lengths + absolute
    hidden = differ | ~jnp.isfinite(lengths)
    return jnp.where(hidden, 1.0, 1.0 - inside(flow01, threshold=0.5))
