"""Flow distillation from a teacher that also sees the target frame."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import lax

from vfi_jax import ops
from vfi_jax.arrays import Array, Image
from vfi_jax.losses._difference import check_same_shape, difference


def flow_distillation(
    flows: Sequence[Array],
    blends: Sequence[Image],
    teacher_flow: Array,
    teacher_blend: Image,
    target: Image,
    *,
    margin: float = 0.01,
) -> Array:
    """Distance to the teacher's flow where the teacher's warped blend is better.

    sum over levels i of mean over pixels of
    [error(blend_i) > error(teacher_blend) + margin] sqrt(mean((flow_i - teacher_flow)^2))

    error is the mean absolute difference to `target` over channels; the inner mean is over both
    flows and (x, y). Only `flows` receive gradients.

    Args:
      flows: per level, `[*B, 2, H, W, 2]` pixels, to both frames.
      blends: per level, `[*B, H, W, 3]`, both frames warped with that level's flow and blended.
      teacher_flow: like one of `flows`.
      teacher_blend: like one of `blends`.
      target: the true frame, `[*B, H, W, 3]`.
      margin: minimum advantage of the teacher, in units of the frames.

    Returns:
      Float32 scalar; 0 if every flow equals the teacher's.

    Raises:
      ValueError: a level or the target differs from the teacher's size, or a level has no blend.

    Source: Huang et al. 2022 (RIFE), sec. 3.4.
    """
    if len(flows) != len(blends):
        raise ValueError(f"blends must be as many as flows, {len(flows)}, got {len(blends)}")
    check_same_shape(target=target, teacher_blend=teacher_blend)
    for flow, blend in zip(flows, blends, strict=True):
        check_same_shape(teacher_flow=teacher_flow, flows=flow)
        check_same_shape(teacher_blend=teacher_blend, blends=blend)
    teacher_flow = lax.stop_gradient(teacher_flow)
    bar = _error(teacher_blend, target) + margin
    total = jnp.float32(0)
    for flow, blend in zip(flows, blends, strict=True):
        worse = lax.stop_gradient(_error(blend, target) > bar)
        square = jnp.square(difference(flow, teacher_flow)).mean((-4, -1))
        # The square root is not differentiable at 0: equal flows would give a NaN gradient.
        apart = square > 0
        distance = jnp.sqrt(jnp.where(apart, square, 1))
        total += jnp.where(worse & apart, distance, 0).mean()
    return total


def robust_flow_distance(
    flows: Sequence[Array], finest: Array, teacher_flow: Array, *, beta: float = 0.3
) -> Array:
    """Distance of coarse flows to a teacher's, more robust where the finest flow disagrees with it.

    sum over levels and both flows of mean (d^2 + eps^2)^(w / 2), with d the difference of (x, y)
    in full-size pixels, w = exp(-beta |finest - teacher_flow|) and eps = 10^(-(10 w - 1) / 3):
    L1-like where the finest flow agrees with the teacher, flat where it does not, because there the
    interpolation loss is more reliable. Only `flows` receive gradients.

    Args:
      flows: per coarse level, `[*B, 2, h, w, 2]` in pixels of that level.
      finest: `[*B, 2, H, W, 2]` pixels.
      teacher_flow: like `finest`.
      beta: decay rate of the exponent w, per pixel of disagreement.

    Returns:
      Float32 scalar.

    Raises:
      ValueError: the shapes of `teacher_flow` and `finest` differ, or `flows` have another batch
        shape.

    Source: Kong et al. 2022 (IFRNet), sec. 3.3, "task-oriented flow distillation".
    """
    check_same_shape(finest=finest, teacher_flow=teacher_flow)
    for flow in flows:
        if flow.shape[:-3] != finest.shape[:-3]:
            raise ValueError(f"flows must be {finest.shape[:-3]} + (h, w, 2), got {flow.shape}")
    finest, teacher_flow = (
        lax.stop_gradient(flow.astype(jnp.float32)) for flow in (finest, teacher_flow)
    )
    apart = finest - teacher_flow
    trust = jnp.exp(-beta * jnp.sqrt(jnp.square(apart).sum(-1, keepdims=True)))
    eps = 10 ** (-(10 * trust - 1) / 3)
    height, width = finest.shape[-3:-1]
    total = jnp.float32(0)
    for flow in flows:
        flow = ops.resize_flow(flow.astype(jnp.float32), (height, width))
        away = jnp.square(flow - teacher_flow)
        total += 2 * ((away + eps**2) ** (trust / 2)).mean()  # 2: the sum of both flows' means
    return total


def _error(blend, target):
    return jnp.abs(difference(blend, target)).mean(-1)
