"""Correlation between the pixels of two feature maps."""

import functools
import math

import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array, Flow, Image
from vfi_jax.ops import _banded, _check, _grid, _rows
from vfi_jax.ops._dispatch import dispatch

BLOCK = 16  # columns of a banded product; measured on a CPU


def cost_volume(features0: Image, features1: Image, *, radius: int = 4) -> Image:
    """Correlation of every pixel with the pixels around the same position in the other map.

    out(p, (dy + radius) (2 radius + 1) + dx + radius) = mean over channels of
    features0(p) features1(p + (dx, dy)), for |dx|, |dy| <= radius; features1 is 0 outside.

    Args:
      features0: `[*B, H, W, C]`, any float type.
      features1: `[*B, H, W, C]`.
      radius: the largest displacement, in pixels.

    Returns:
      `[*B, H, W, (2 radius + 1)^2]`, the type of `features0`; summed in float32.

    Raises:
      ValueError: the shapes differ, a type is not a float, or radius is negative.

    Example:
      >>> features0, features1 = jnp.array([[[1.0], [2]]]), jnp.array([[[3.0], [5]]])
      >>> ops.cost_volume(features0, features1, radius=1)[0, :, 3:6].tolist()
      [[0.0, 3.0, 5.0], [6.0, 10.0, 0.0]]

    Source: Sun et al. 2018 (PWC-Net), eq. 2.
    """
    features0 = _check.image(features0, "features0")
    features1 = _check.image(features1, "features1")
    _check.shaped(features1, features0.shape, "features1", to="features0")
    radius = _check.whole(radius, "radius", least=0)
    return dispatch("cost_volume", _cost_volume, features0, features1, radius=radius)


def all_pairs_correlation(
    features0: Image, features1: Image, *, levels: int = 4
) -> tuple[Array, ...]:
    """Correlation of every pixel with every pixel of the other map, at several resolutions.

    level_0(p, q) = sum over channels of features0(p) features1(q) / sqrt(C); each further level
    averages 2x2 positions q of the level before and drops an odd last row or column. This is the
    only op whose memory grows with the square of the number of pixels.

    Args:
      features0: `[*B, H, W, C]`, any float type.
      features1: `[*B, H', W', C]`.
      levels: number of pyramid levels.

    Returns:
      `levels` arrays `[*B, H, W, H' // 2^i, W' // 2^i]`, finest first, of the type of `features0`;
      summed in float32.

    Raises:
      ValueError: the shapes do not fit, a type is not a float, or features1 is too small.

    Example:
      >>> features0, features1 = jnp.full((1, 1, 4), 1.5), jnp.arange(16.0).reshape(2, 2, 4)
      >>> fine, coarse = ops.all_pairs_correlation(features0, features1, levels=2)
      >>> fine.tolist(), coarse.tolist()
      ([[[[4.5, 16.5], [28.5, 40.5]]]], [[[[22.5]]]])

    Source: Teed & Deng 2020 (RAFT), sec. 3.2.
    """
    features0, features1 = _check_pairs(features0, features1, levels)
    return dispatch("all_pairs_correlation", _all_pairs, features0, features1, levels=levels)


def correlation_lookup(volumes: tuple[Array, ...], flow: Flow, *, radius: int = 4) -> Image:
    """Sample all-pairs correlations around the positions where `flow` points, at every level.

    out(p, k) with k = (i n + dx + radius) n + dy + radius and n = 2 radius + 1 is
    volume_i(p, (p + flow(p)) / 2^i + (dx, dy)), bilinear in q and 0 outside. Here dx comes before
    dy, the order of RAFT and of weights trained with it; `cost_volume` has dy first.

    Args:
      volumes: as from `all_pairs_correlation`: `[*B, H, W, H_i, W_i]`, finest first.
      flow: `[*B, H, W, 2]` float32 pixels, (x, y).
      radius: the largest displacement, in pixels of each level.

    Returns:
      `[*B, H, W, levels * (2 radius + 1)^2]`, the type of the volumes; interpolated in float32.

    Raises:
      ValueError: a volume does not fit flow, or radius is negative.

    Example:
      >>> volume = jnp.arange(6.0).reshape(1, 1, 2, 3)
      >>> ops.correlation_lookup((volume,), jnp.array([[[1, 0.5]]]), radius=0).tolist()
      [[[2.5]]]

    Source: Teed & Deng 2020 (RAFT), sec. 3.2.
    """
    flow = _check.flow(flow)
    radius = _check.whole(radius, "radius", least=0)
    if not volumes:
        raise ValueError("volumes must be a tuple of at least one level, got none")
    volumes = tuple(_check.image(volume, "each of volumes") for volume in volumes)
    for volume in volumes:
        fit = (*flow.shape[:-1], *volume.shape[-2:])
        _check.shaped(volume, fit, "each of volumes", to="flow")
    return dispatch("correlation_lookup", _lookup, flow, *volumes, radius=radius)


def correlate_around(
    features0: Image, features1: Image, flow: Flow, *, levels: int = 4, radius: int = 4
) -> Image:
    """`correlation_lookup` of `all_pairs_correlation` without all pairs in memory.

    out is correlation_lookup(all_pairs_correlation(features0, features1, levels), flow, radius):
    features1 is averaged over 2x2 positions instead, and only the sampled correlations are
    computed. Memory grows linearly with the number of pixels. For small maps or many lookups,
    `all_pairs_correlation` is faster.

    Args:
      features0: `[*B, H, W, C]`, any float type.
      features1: `[*B, H', W', C]`.
      flow: `[*B, H, W, 2]` float32 pixels, (x, y).
      levels: number of pyramid levels.
      radius: the largest displacement, in pixels of each level.

    Returns:
      `[*B, H, W, levels * (2 radius + 1)^2]`, the type of `features0`; summed in float32.

    Raises:
      ValueError: the shapes do not fit, a type is not a float, features1 is too small, or radius is
        negative.

    Example:
      >>> features0, features1 = jnp.full((1, 1, 1), 2.0), jnp.arange(6.0).reshape(2, 3, 1)
      >>> flow = jnp.array([[[1, 0.5]]])
      >>> ops.correlate_around(features0, features1, flow, levels=1, radius=0).tolist()
      [[[5.0]]]

    Source: Teed & Deng 2020 (RAFT), sec. 3.2, "efficient computation for high resolution images".
    """
    features0, features1 = _check_pairs(features0, features1, levels)
    flow = _check.flow(flow, fit=features0, to="features0")
    radius = _check.whole(radius, "radius", least=0)
    return dispatch(
        "correlate_around", _around, features0, features1, flow, levels=levels, radius=radius
    )


def _check_pairs(features0, features1, levels):
    features0 = _check.image(features0, "features0")
    features1 = _check.image(features1, "features1")
    fit = (*features0.shape[:-3], *features1.shape[-3:-1], features0.shape[-1])
    _check.shaped(features1, fit, "features1", to="features0")
    if levels < 1 or min(features1.shape[-3:-1]) >> (levels - 1) == 0:
        raise ValueError(
            f"levels must be at least 1 and halve features1 to no less than a pixel, got {levels} "
            f"for {features1.shape}"
        )
    return features0, features1


def _cost_volume(features0, features1, *, radius):
    return _grid.each(
        functools.partial(_correlate, radius=radius),
        features0.astype(jnp.float32) / features0.shape[-1],
        features1.astype(jnp.float32),
    ).astype(features0.dtype)


def _correlate(features0, features1, *, radius):
    """Products of blocks of columns with windows wider by `radius` on both sides."""
    height, width, channels = features0.shape
    block = min(BLOCK, width)
    count = -(-width // block)
    blocks = jnp.pad(features0, ((0, 0), (0, count * block - width), (0, 0)))
    around = jnp.pad(features1, ((radius, radius), (radius, radius), (0, 0)))
    windows = _banded.windows(around, count=count, block=block, extra=2 * radius)
    plan = _rows.Plan(_products, _products_of_a_row, cpu_rows=1, cpu_gradient_rows=1, rows=height)
    out = _rows.run(plan, windows, blocks.reshape(height, count, block, channels))
    return out.reshape(height, count * block, -1)[:, :width]


def _products(windows, blocks):
    """One displaced row at a time: all at once would take n times the memory.

    Windows `[R + n - 1, N, block + n - 1, C]` and blocks `[R, N, block, C]` to
    `[R, N, block, n^2]`.
    """
    height, _, block, _ = blocks.shape
    count = windows.shape[2] - block + 1
    planes = []
    for dy in range(count):
        rows = windows[dy : dy + height]
        product = jnp.einsum("hbic,hbjc->hbij", blocks, rows, precision=lax.Precision.HIGHEST)
        planes.append(_banded.band(product, count))
    return jnp.concatenate(planes, axis=-1)


def _products_of_a_row(windows, blocks):
    """The same for one row (R = 1), all displaced rows at once: a CPU compiles one product only."""
    product = jnp.einsum("bic,nbjc->binj", blocks[0], windows, precision=lax.Precision.HIGHEST)
    *places, count, wide = product.shape
    # In the concatenated windows, each window's part of the band starts with that window's own.
    lines = _banded.band(product.reshape(*places, count * wide), count * wide)
    return lines.reshape(product.shape)[..., :count].reshape(1, *places, count**2)


def _all_pairs(features0, features1, *, levels):
    volume = jnp.einsum(
        "...hwc,...yxc->...hwyx",
        features0.astype(jnp.float32),
        features1.astype(jnp.float32),
        precision=lax.Precision.HIGHEST,
    )
    pyramid = [volume / math.sqrt(features0.shape[-1])]
    for _ in range(levels - 1):
        pyramid.append(_halved(pyramid[-1][..., None])[..., 0])
    return tuple(level.astype(features0.dtype) for level in pyramid)


def _halved(x):
    """The mean of 2x2 pixels of `[*B, H, W, C]`; an odd last row or column is dropped."""
    height, width = (side // 2 * 2 for side in x.shape[-3:-1])
    return sum(x[..., i:height:2, j:width:2, :] for i in (0, 1) for j in (0, 1)) / 4


def _around(features0, features1, flow, *, levels, radius):
    return _grid.each(
        functools.partial(_correlated_around, levels=levels, radius=radius),
        features0.astype(jnp.float32) / math.sqrt(features0.shape[-1]),
        features1.astype(jnp.float32),
        flow,
    ).astype(features0.dtype)


def _correlated_around(features0, features1, flow, *, levels, radius):
    """Row by row: the windows of a whole frame would take more memory than all pairs."""
    pyramid = [features1]
    for _ in range(levels - 1):
        pyramid.append(_halved(pyramid[-1]))

    @jax.checkpoint
    def row(line):
        features, x, y = line
        read = jax.vmap(functools.partial(_correlate_around, radius=radius), (None, 0, 0, 0))
        out = [read(level, features, x / 2**i, y / 2**i) for i, level in enumerate(pyramid)]
        return jnp.concatenate(out, axis=-1)

    return lax.map(row, (features0, *_grid.points(flow)))


def _correlate_around(others, features, x, y, *, radius):
    index, down, across = _places(others.shape[:2], x, y, radius)
    window = others.reshape(-1, others.shape[-1]).at[index].get(mode="fill", fill_value=0)
    window = jnp.einsum("ijc,c->ij", window, features, precision=lax.Precision.HIGHEST)
    return _between(window, down, across)


def _lookup(flow, *volumes, radius):
    read = functools.partial(_read_around, radius=radius)
    for _ in flow.shape[:-1]:
        read = jax.vmap(read)
    x, y = _grid.points(flow)
    out = [read(volume, x / 2**level, y / 2**level) for level, volume in enumerate(volumes)]
    return jnp.concatenate(out, axis=-1).astype(volumes[0].dtype)


def _read_around(plane, x, y, *, radius):
    """All (2 radius + 1)^2 samples share one fractional offset, so one integer window is read."""
    index, down, across = _places(plane.shape, x, y, radius)
    window = plane.reshape(-1).at[index].get(mode="fill", fill_value=0).astype(jnp.float32)
    return _between(window, down, across)


def _places(shape, x, y, radius):
    """Indices of a window's pixels in a plane (past its end if outside), and the fractions."""
    height, width = shape
    rows, down = _window(y, height, radius)
    columns, across = _window(x, width, radius)
    inside = (rows >= 0) & (rows < height)
    index = jnp.where(inside[:, None], rows[:, None] * width + columns[None], height * width)
    index = jnp.where(((columns >= 0) & (columns < width))[None], index, height * width)
    return index, down, across


def _between(window, down, across):
    """A window interpolated at its fractional offset, x before y."""
    window = window[:-1] * (1 - down) + window[1:] * down
    window = window[:, :-1] * (1 - across) + window[:, 1:] * across
    return window.T.reshape(-1)


def _window(position, size, radius):
    """The integer positions around one position on an axis, and its fraction."""
    # Positions radius + 2 outside, and NaN, read only zeros.
    outside = -radius - 2
    position = jnp.clip(position, outside, size + radius + 1)
    position = jnp.where(jnp.isnan(position), outside, position)
    low = jnp.floor(position)
    return low.astype(jnp.int32) + jnp.arange(-radius, radius + 2), position - low
