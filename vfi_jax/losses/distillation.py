"""Learning flow from a teacher that saw the frame to be made."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array, Image


def flow_distillation(
    flows: Sequence[Array],
    blends: Sequence[Image],
    teacher_flow: Array,
    teacher_blend: Image,
    target: Image,
    *,
    margin: float = 0.01,
) -> Array:
    """How far flows are from the teacher's where the teacher's sampling is the better one.

    sum over levels i of mean over pixels of
    [error(blend_i) > error(teacher_blend) + margin] sqrt(mean((flow_i - teacher_flow)^2))

    error is the mean absolute difference to `target` over channels; the inner mean goes over both
    flows and (x, y). Only `flows` learn.

    Args:
      flows: of each level, `[*B, 2, H, W, 2]` pixels, to either frame.
      blends: of each level, `[*B, H, W, 3]`, both frames sampled with that level's flow.
      teacher_flow: like one of `flows`.
      teacher_blend: like one of `blends`.
      target: the true frame, `[*B, H, W, 3]`.
      margin: by how much the teacher must be better, in units of the frames.

    Returns:
      Float32 scalar; 0 where every flow is the teacher's.

    Raises:
      ValueError: a level is not of the teacher's size.

    Source: Huang et al. 2022 (RIFE), sec. 3.4.
    """
    for flow in flows:
        if flow.shape != teacher_flow.shape:
            raise ValueError(
                f"flows must have the teacher's shape, {teacher_flow.shape}, got {flow.shape}"
            )
    teacher_flow = lax.stop_gradient(teacher_flow)
    bar = _error(teacher_blend, target) + margin
    total = jnp.float32(0)
    for flow, blend in zip(flows, blends, strict=True):
        worse = lax.stop_gradient(_error(blend, target) > bar)
        square = jnp.square(flow - teacher_flow).mean((-4, -1))
        # The root has no slope at zero: there, equal flows would make the gradient NaN.
        apart = square > 0
        distance = jnp.sqrt(jnp.where(apart, square, 1))
        total += jnp.where(worse & apart, distance, 0).mean()
    return total


def _error(blend, target):
    return jnp.abs(blend - target).mean(-1)
