"""Flow projection (MEMC-Net, DAIN): flow between two frames becomes flow from the new frame."""

import functools

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Flow, Image, Mask
from vfi_jax.ops import _check, _grid
from vfi_jax.ops._dispatch import dispatch

DIRECTIONS = ("left", "right", "up", "down")


def flow_projection(
    flow: Flow, *, fill_holes: bool = False, fill_from: tuple[str, ...] = DIRECTIONS
) -> Flow:
    """Flow from the new frame to the source: minus the average flow that lands at each pixel.

    out(q) = -mean of flow(p) over the p for which q is one of the four pixels around p + flow(p)

    All four have equal weight at any distance; a landing on the last column (or row) counts twice
    for its two pixels. A flow that lands outside (0 .. W - 1, 0 .. H - 1) or is not finite is
    ignored. Pixels where no flow lands are holes: 0, or filled.

    The gradient is with respect to the values; landing positions are not differentiated. The order
    of summation is fixed on a CPU and a TPU and arbitrary on a GPU, as in `forward_splat` with
    deterministic=False.

    Args:
      flow: `[*B, H, W, 2]` float32 pixels, (x, y), from a source frame to the new one.
      fill_holes: fill holes with `fill_holes`. The original code fills only when no gradient is
        required.
      fill_from: directions of filling. MEMC-Net's code omits "down" by mistake; use ("left",
        "right", "up") to reproduce its results.

    Returns:
      `[*B, H, W, 2]`, from the new frame to the source.

    Raises:
      ValueError: `flow` has the wrong shape or type, or a direction is unknown.

    Example:
      >>> flow = jnp.full((2, 4, 2), 9.0).at[0, 0].set(jnp.array([2, 0.5]))  # the others leave
      >>> ops.flow_projection(flow)[0].tolist()
      [[0.0, 0.0], [0.0, 0.0], [-2.0, -0.5], [-2.0, -0.5]]

    Source: Bao et al. 2019 (MEMC-Net, arXiv:1810.08768).
    """
    flow = _check.flow(flow)
    weight = jnp.ones_like(flow[..., :1])
    return _projection("flow_projection", flow, weight, fill_holes, fill_from)


def depth_flow_projection(flow: Flow, weight: Mask, *, fill_holes: bool = False) -> Flow:
    """Flow projection weighted by inverse depth, so that near objects dominate.

    out(q) = -sum of weight(p) flow(p) / sum of weight(p), over the p of `flow_projection`

    Gradient and order of summation are as in `flow_projection`. The original's backward pass for
    `weight` uses flow - out; the exact gradient, returned here, has flow + out.

    Args:
      flow: `[*B, H, W, 2]` float32 pixels, (x, y), from a source frame to the new one.
      weight: `[*B, H, W, 1]`, above 0; DAIN's is the inverse depth.
      fill_holes: fill holes with `fill_holes`, from all directions.

    Returns:
      `[*B, H, W, 2]`, from the new frame to the source.

    Raises:
      ValueError: shapes or types do not fit.

    Example:
      >>> flow = jnp.array([[[2.0, 0], [1, 0], [9, 0]]])
      >>> ops.depth_flow_projection(flow, jnp.array([[[3.0], [1], [1]]]))[..., 0].tolist()
      [[0.0, 0.0, -1.75]]

    Source: Bao et al. 2019 (DAIN, arXiv:1904.00830).
    """
    flow = _check.flow(flow)
    weight = _check.plane(weight, "weight", fit=flow, to="flow").astype(flow.dtype)
    return _projection("depth_flow_projection", flow, weight, fill_holes, DIRECTIONS)


def fill_holes(flow: Image, valid: Mask, *, fill_from: tuple[str, ...] = DIRECTIONS) -> Image:
    """Fill each hole with the mean of the nearest known pixels of its row and column.

    Args:
      flow: `[*B, H, W, C]`, any float type: a flow, or any map.
      valid: `[*B, H, W, 1]`, any real type: above 0 where `flow` is known (a count of landings).
      fill_from: sides to search: any of "left", "right", "up", "down". Sides without known pixels
        are ignored; with none on any side, the hole becomes 0.

    Returns:
      `[*B, H, W, C]`, the type of `flow`, unchanged where known. The gradient treats the positions
      of the holes as constant.

    Raises:
      ValueError: `valid` does not fit `flow`, or a direction is unknown.

    Example:
      >>> flow = jnp.array([2.0, 0, 6, 1, 0, 0]).reshape(2, 3, 1)
      >>> ops.fill_holes(flow, flow > 0)[..., 0].tolist()
      [[2.0, 4.0, 6.0], [1.0, 1.0, 3.5]]
      >>> ops.fill_holes(flow, flow > 0, fill_from=("left",))[..., 0].tolist()
      [[2.0, 2.0, 6.0], [1.0, 1.0, 1.0]]

    Source: Bao et al. 2019 (MEMC-Net, arXiv:1810.08768), outside-in filling.
    """
    flow = _check.image(flow, "flow")
    valid = _check.shaped(jnp.asarray(valid), (*flow.shape[:-1], 1), "valid", to="flow")
    for side in fill_from:
        _check.one_of(side, DIRECTIONS, "direction")
    return dispatch("fill_holes", _fill_holes, flow, valid, fill_from=tuple(fill_from))


def _fill_holes(flow, valid, *, fill_from):
    return _grid.each(functools.partial(_fill, fill_from=fill_from), flow, valid)


def _projection(name, flow, weight, fill, fill_from):
    for side in fill_from:
        _check.one_of(side, DIRECTIONS, "direction")
    total = dispatch(name, functools.partial(_grid.each, _land), flow, weight)
    count = total[..., 2:]
    out = _grid.ratio(total[..., :2], jnp.where(count > 0, count, 1))
    return fill_holes(out, count, fill_from=fill_from) if fill else out


def _land(flow, weight):
    """Sums of -weight * flow and of weight, `[H, W, 3]`, over the flows that land at each pixel."""
    height, width = flow.shape[:2]
    x, y = (axis[..., None] for axis in _grid.points(flow))
    lands = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    index = jnp.where(lands, y, 0).astype(jnp.int32) * width
    index += jnp.where(lands, x, 0).astype(jnp.int32)
    # Masked before the product: 0 times a non-finite flow would give a NaN gradient.
    weight = jnp.where(lands, weight, 0)
    values = jnp.concatenate([_grid.scale(jnp.where(lands, -flow, 0), weight), weight], axis=-1)
    total = jnp.zeros((height * width, 3), flow.dtype)
    total = _grid.add(total, index.reshape(-1), _grid.rows(values))
    # All four neighbours get the same value, so one scatter and three shifts suffice.
    return _and_next(_and_next(total.reshape(height, width, 3), axis=0), axis=1)


def _and_next(total, *, axis):
    """Each pixel's total plus that of the pixel before; the last pixel's own total counts twice."""
    size = total.shape[axis]
    before = lax.slice_in_dim(
        jnp.pad(total, [(int(axis == a), 0) for a in range(3)]), 0, size, axis=axis
    )
    last = lax.broadcasted_iota(jnp.int32, total.shape, axis) == size - 1
    return total + before + jnp.where(last, total, 0)


def _fill(flow, valid, *, fill_from):
    width = flow.shape[1]
    known = valid[..., 0] > 0
    column = lax.broadcasted_iota(jnp.int32, known.shape, 1)
    row = lax.broadcasted_iota(jnp.int32, known.shape, 0)
    total, count = jnp.zeros(flow.shape, jnp.float32), jnp.zeros(valid.shape, jnp.int32)
    for side in fill_from:
        across = side in ("left", "right")
        nearest = _nearest(known, axis=int(across), reverse=side in ("right", "down"))
        found = (nearest >= 0)[..., None]
        nearest = jnp.maximum(nearest, 0)
        index = row * width + nearest if across else nearest * width + column
        total += jnp.where(found, _grid.take(_grid.rows(flow), index), 0)
        count += found.astype(jnp.int32)
    filled = total / jnp.maximum(count, 1).astype(total.dtype)
    return jnp.where(known[..., None], flow, filled.astype(flow.dtype))


# Without jit the platform switch would be recompiled at every call.
@functools.partial(jax.jit, static_argnames=("axis", "reverse"))
def _nearest(known, *, axis, reverse):
    """Position on `axis` of the last known pixel so far (from the end if reverse); -1 if none."""
    # One step per line is fastest on a CPU; elsewhere each step is a launch, and fewer are faster.
    return lax.platform_dependent(
        known,
        cpu=functools.partial(_nearest_by_line, axis=axis, reverse=reverse),
        default=functools.partial(_nearest_at_once, axis=axis, reverse=reverse),
    )


def _nearest_by_line(known, *, axis, reverse):
    lines = jnp.moveaxis(known, axis, 0)

    def step(nearest, position):
        nearest = jnp.where(lines[position], position, nearest)
        return nearest, nearest

    none = jnp.full_like(lines[0], -1, jnp.int32)
    positions = jnp.arange(lines.shape[0], dtype=jnp.int32)
    return jnp.moveaxis(lax.scan(step, none, positions, reverse=reverse)[1], 0, axis)


def _nearest_at_once(known, *, axis, reverse):
    position = lax.broadcasted_iota(jnp.int32, known.shape, axis)
    if not reverse:
        return lax.cummax(jnp.where(known, position, -1), axis=axis)
    size = known.shape[axis]
    nearest = lax.cummin(jnp.where(known, position, size), axis=axis, reverse=True)
    return jnp.where(nearest < size, nearest, -1)
