"""Temporal consistency of a video. The caller supplies the flows, from any estimator."""

import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Flow, Image, Mask
from vfi_jax.metrics import _check

CONVENTIONS = ("squared", "absolute")


def warping_error(
    frame0: Image,
    frame1: Image,
    flow01: Flow,
    *,
    mask: Mask | None = None,
    convention: str = "squared",
) -> Array:
    """Change between two frames that the flow does not explain.

    mean of (frame1(p + flow01(p)) - frame0(p))^2 over channels and pixels p in the mask

    Args:
      frame0: `[*B, H, W, C]`, of the video under test.
      frame1: the same shape, the next frame.
      flow01: `[*B, H, W, 2]` pixels, (x, y), from frame 0 to frame 1 of the reference video.
      mask: `[*B, H, W, 1]`, 1 for pixels visible in both frames, such as 1 - `ops.occlusion_mask`;
        all by default.
      convention: "squared", or "absolute": mean of |frame1(p + flow01(p)) - frame0(p)|.

    Returns:
      float32 `[*B]`; 0 for an empty mask.

    Raises:
      ValueError: the shapes do not fit, or an unknown convention.

    Source: Lai et al. 2018 (arXiv:1808.00449), eq. 8, averaged over channels too, as in their code.
    """
    frame0, frame1 = _check.pair(frame0, frame1)
    if convention not in CONVENTIONS:
        raise ValueError(f"convention must be one of {CONVENTIONS}, got {convention!r}")
    difference = ops.backward_warp(frame1, jnp.asarray(flow01, jnp.float32)) - frame0
    error = jnp.square(difference) if convention == "squared" else jnp.abs(difference)
    counts = jnp.ones_like(error) if mask is None else jnp.broadcast_to(mask, error.shape)
    total = counts.sum(axis=(-3, -2, -1))
    return (error * counts).sum(axis=(-3, -2, -1)) / jnp.maximum(total, 1)


def flow_difference(flow: Flow, reference: Flow) -> Array:
    """Mean end-point distance of two flows ("tOF" if between consecutive frames of two videos).

    mean over pixels of |flow(p) - reference(p)|

    Args:
      flow: `[*B, H, W, 2]` pixels, (x, y), of the video under test.
      reference: the same shape, of the reference video, from the same estimator.

    Returns:
      float32 `[*B]` pixels.

    Raises:
      ValueError: the shapes differ.

    Source: Chu et al. 2020 (arXiv:1811.09393), sec. 4.
    """
    flow, reference = _check.pair(flow, reference)
    return jnp.linalg.norm(flow - reference, axis=-1).mean(axis=(-2, -1))
