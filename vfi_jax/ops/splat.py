"""Forward splatting: every pixel is added to the four pixels around its target position."""

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Flow, Image, Mask
from vfi_jax.ops import _check, _exact, _grid
from vfi_jax.ops._dispatch import dispatch

MODES = ("sum", "average", "linear", "softmax")
NORMALISES = ("add_eps", "zero_eps", "clip_eps")
EPS = 1e-7  # of the summed weight, 1 if fully covered (Niklaus and Liu 2020, released code)
STEEPEST = 40.0  # of a metric; e^40 times a sum of millions fits in float32, e^88 overflows
TINY = 1e-37  # about the smallest normal float32


def forward_splat(
    image: Image,
    flow: Flow,
    *,
    mode: str = "sum",
    metric: Mask | None = None,
    normalise: str = "add_eps",
    deterministic: bool = False,
) -> Image:
    """Move every pixel of `image` along `flow`, onto the four pixels around its target.

    sum(q) = sum over p of b(p + flow(p) - q) w(p) image(p),  b(d) = max(0, 1-|dx|) max(0, 1-|dy|)
    out(q) = sum(q), or sum(q) divided by the same sum of w alone

    w is 1 for mode "sum" (not divided) and "average", metric for "linear", exp(metric) for
    "softmax". Pixels that land outside or have a non-finite flow are dropped.

    Args:
      image: `[*B, H, W, C]`, any float type.
      flow: `[*B, H, W, 2]` float32 pixels, (x, y).
      mode: "sum", "average", "linear" or "softmax".
      metric: `[*B, H, W, 1]`, for "linear" (not negative) and "softmax": pixels with a larger
        metric dominate.
      normalise: how division by 0 is avoided in holes. "add_eps": 1e-7 is added to the summed
        weight; pixels with little coverage fade. "zero_eps": a summed weight of 0 becomes 1.
        "clip_eps": the summed weight is at least 1e-7. Holes are 0 in all three. No effect on
        mode "sum".
      deterministic: sum integers, so that the result is bit-equal on any platform and device count,
        at several times the cost. Otherwise the order of summation is fixed on a CPU and a TPU, but
        depends on atomic additions on a GPU, where the last bits vary between runs. The gradients
        of `image`, `flow` and `metric` do not scatter and are always reproducible.

    Returns:
      `[*B, H, W, C]`, the type of `image`; summed in float32.

    Raises:
      ValueError: shapes or types do not fit, an option is unknown, or `metric` is missing or
        unused.

    Example:
      >>> image = jnp.array([6.0, 0, 0, 0, 0, 3]).reshape(2, 3, 1)
      >>> flow = jnp.zeros((2, 3, 2)).at[0, 0].set(jnp.array([2, 0.5]))
      >>> ops.forward_splat(image, flow)[..., 0].tolist()
      [[0.0, 0.0, 3.0], [0.0, 0.0, 6.0]]
      >>> ops.forward_splat(image, flow, mode="average", normalise="zero_eps")[..., 0].tolist()
      [[0.0, 0.0, 2.0], [0.0, 0.0, 4.0]]

    Source: Niklaus and Liu 2020 (softmax splatting, arXiv:2003.05534). If exp(metric) would
    overflow float32, it and eps are scaled down for the whole image, so the result stays finite
    where the original overflows. "zero_eps" does not depend on the scale and is also scaled up. A
    pixel whose metric is more than about 100 below the image's largest then has weight 0.
    """
    image = _check.image(image)
    flow = _check.flow(flow, fit=image)
    _check.one_of(mode, MODES, "mode")
    _check.one_of(normalise, NORMALISES, "normalise")
    values = image.astype(jnp.float32)
    weight, eps = _weight(image, flow, mode, metric, normalise)
    if mode == "sum":
        return _splat(values, flow, deterministic).astype(image.dtype)
    both = jnp.concatenate([_grid.scale(values, weight), weight], axis=-1)
    total = _splat(both, flow, deterministic)
    return _grid.ratio(total[..., :-1], _guarded(total[..., -1:], eps, normalise)).astype(
        image.dtype
    )


def flow_reversal(flow: Flow, *, metric: Mask | None = None, deterministic: bool = False) -> Flow:
    """The reverse flow: every vector is negated and splatted to where it points.

    out = forward_splat(-flow, flow), averaged; 0 where nothing lands (fill with `fill_holes`).
    The reversal of t * flow01 is flow_t0.

    Args:
      flow: `[*B, H, W, 2]` float32 pixels, (x, y).
      metric: `[*B, H, W, 1]`: weights of a softmax over vectors that land on the same pixel; a
        plain average by default.
      deterministic: as in `forward_splat`.

    Returns:
      `[*B, H, W, 2]`, the type of `flow`.

    Raises:
      ValueError: shapes or types do not fit.

    Example:
      >>> flow = jnp.full((2, 3, 2), 9.0).at[0, 0].set(jnp.array([2.0, 1]))  # the others leave
      >>> ops.flow_reversal(flow)[1].tolist()
      [[0.0, 0.0], [0.0, 0.0], [-2.0, -1.0]]

    Source: Xu et al. 2019 (Quadratic Video Interpolation, arXiv:1911.00627), its flow reversal
    layer, with bilinear instead of Gaussian weights.
    """
    flow = _check.flow(flow)
    mode = "average" if metric is None else "softmax"
    # Non-finite vectors are dropped, but as values they would still make the gradient NaN.
    back = jnp.where(jnp.isfinite(flow).all(axis=-1, keepdims=True), -flow, 0)
    return forward_splat(
        back, flow, mode=mode, metric=metric, normalise="zero_eps", deterministic=deterministic
    )


def _weight(image, flow, mode, metric, normalise):
    """Weight of every pixel, and the eps that goes with it."""
    if mode in ("sum", "average"):
        if metric is not None:
            raise ValueError(f"metric is not used in mode {mode!r}: omit it")
        return jnp.ones((*image.shape[:-1], 1), jnp.float32), EPS
    if metric is None:
        raise ValueError(f"mode {mode!r} needs a metric [*B, H, W, 1], got None")
    metric = _check.plane(metric, "metric", fit=image, to="image").astype(jnp.float32)
    # Dropped pixels must not affect the scaling of the others.
    metric = jnp.where(jnp.isfinite(flow).all(axis=-1, keepdims=True), metric, 0)
    if mode == "linear":
        return metric, EPS
    finite = jnp.where(jnp.isfinite(metric), metric, 0)
    peak = lax.stop_gradient(finite.max(axis=(-3, -2), keepdims=True))
    too_large, too_small = peak > STEEPEST, peak < -STEEPEST
    scaled = too_large | too_small if normalise == "zero_eps" else too_large
    excess = jnp.where(scaled, peak - STEEPEST, 0)
    return jnp.exp(metric - excess), jnp.maximum(EPS * jnp.exp(-excess), TINY)


def _guarded(total, eps, normalise):
    if normalise == "add_eps":
        return total + eps
    if normalise == "zero_eps":
        return jnp.where(total < TINY, 1, total)
    return jnp.where(total >= eps, total, eps)


def _splat(values, flow, deterministic):
    return dispatch("forward_splat", _forward_splat, values, flow, deterministic=deterministic)


def _forward_splat(values, flow, *, deterministic):
    # The gradient recomputes the weighted values instead of storing four copies.
    return _grid.each(
        jax.checkpoint(_exact.spread if deterministic else _grid.spread), values, flow
    )
