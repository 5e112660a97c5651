"""Moving an image along a flow: every pixel adds itself to the pixels around where it lands."""

import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Flow, Image, Mask
from vfi_jax.ops import _check, _grid
from vfi_jax.ops._dispatch import dispatch

MODES = ("sum", "average", "linear", "softmax")
NORMALISES = ("add_eps", "zero_eps", "clip_eps")
EPS = 1e-7  # keeps holes from dividing by zero (Niklaus and Liu 2020, released code)
TINY = 1e-37  # near the smallest normal float32


def forward_splat(
    image: Image,
    flow: Flow,
    *,
    mode: str = "sum",
    metric: Mask | None = None,
    normalise: str = "add_eps",
    deterministic: bool = False,
) -> Image:
    """Move every pixel of `image` to where `flow` points, onto the four pixels around.

    out(q) = sum_p b(p + flow(p) - q) w(p) image(p) / sum_p b(p + flow(p) - q) w(p)

    Args:
      image: `[*B, H, W, C]`, any float type.
      flow: `[*B, H, W, 2]` float32 pixels, (x, y).
      mode: "sum", "average", "linear" or "softmax".
      metric: `[*B, H, W, 1]`, for linear and softmax.
      normalise: "add_eps", "zero_eps" or "clip_eps".
      deterministic: bit-equal everywhere.

    Returns:
      `[*B, H, W, C]`, the type of `image`.

    Raises:
      ValueError: arguments do not fit.

    Source: Niklaus and Liu 2020 (softmax splatting), eq. 5-14.
    """
    image = _check.image(image)
    flow = _check.flow(flow, fit=image)
    _check.one_of(mode, MODES, "mode")
    _check.one_of(normalise, NORMALISES, "normalise")
    if mode in ("sum", "average") and metric is not None:
        raise ValueError(f"metric has no part in mode {mode!r}; leave it out")
    values = image.astype(jnp.float32)
    if mode == "sum":
        return dispatch("forward_splat", _splat, values, flow).astype(image.dtype)
    eps = EPS
    if mode == "average":
        weight = jnp.ones_like(values[..., :1])
    else:
        if metric is None:
            raise ValueError(f"metric must be given in mode {mode!r}")
        weight = _check.plane(metric, "metric", fit=image, to="image").astype(jnp.float32)
    if mode == "softmax":
        shift = lax.stop_gradient(jnp.max(weight, axis=(-3, -2), keepdims=True) - 40).clip(0)
        weight = jnp.exp(weight - shift)
        eps = jnp.maximum(EPS * jnp.exp(-shift), TINY)
    both = jnp.concatenate([values * weight, weight], axis=-1)
    total = dispatch("forward_splat", _splat, both, flow)
    norm = total[..., -1:]
    if normalise == "add_eps":
        norm = norm + eps
    elif normalise == "zero_eps":
        norm = jnp.where(norm == 0, 1, norm)
    else:
        norm = jnp.where(norm >= eps, norm, eps)
    return (total[..., :-1] / norm).astype(image.dtype)


def flow_reversal(flow: Flow) -> Flow:
    """The flow back: where it lands, every vector is laid down reversed.

    Args:
      flow: `[*B, H, W, 2]` float32 pixels, (x, y).

    Returns:
      `[*B, H, W, 2]`.

    Source: Xu et al. 2019.
    """
    flow = _check.flow(flow)
    return forward_splat(-flow, flow, mode="average")


def _splat(image, flow):
    return _grid.each(_add, image, flow)


def _add(image, flow):
    values = image.reshape(-1, image.shape[-1])
    out = jnp.zeros_like(values)
    for corner in _grid.corners(flow, clamp=False):
        out = out.at[corner.index].add(corner.weight[:, None] * values)
    return out.reshape(image.shape)
