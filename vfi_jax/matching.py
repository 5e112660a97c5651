"""Matching two images by differentiating a model's frame between them with respect to both."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from vfi_jax.arrays import FLIPS, Array, Image
from vfi_jax.interpolation import levels, views
from vfi_jax.interpolation.padding import PADDINGS, crop, pad

CENTROID_RADIUS = 2  # pixels around the strongest response that place a match between pixels
LIVE_ARRAYS = 6  # of the largest size, that a backward pass holds at once, about
TINY = 1e-30  # keeps 0 / 0 away


class Matches(NamedTuple):
    """Pixels of two frames that show the same thing, K of them.

    Attributes:
      points: `[K, 2]` int32, the pixels (x, y) of the frame between that were asked about.
      points0: `[K, 2]` float32 (x, y) in frame 0.
      points1: `[K, 2]` float32 (x, y) in frame 1.
      confidence: `[K]` float32, 0 to 1: to be ranked and thresholded, not a probability.
    """

    points: np.ndarray
    points0: np.ndarray
    points1: np.ndarray
    confidence: np.ndarray


def match(
    model: nn.Module,
    variables: dict,
    frame0: Image | np.ndarray,
    frame1: Image | np.ndarray,
    *,
    points: Any = None,
    grid: int = 8,
    reach: int = 16,
    ensemble: str = "flip4",
    memory: int = 2**30,
) -> Matches:
    """Match two frames by asking an interpolating network what it made a pixel of.

    The response of a pixel q of an input frame to a pixel p of the frame between is the sum over
    RGB of |d (sum over RGB of frame_t(p)) / d frame(q)|. In each frame p is matched with the pixel
    of the strongest response not further than `reach` from p, moved to the centroid, within 2
    pixels, of what p copied: of the sum over RGB without | |, where it is positive, as a negative
    derivative is something that the network subtracts. Points more than 2 `reach` apart share a
    backward pass, as responses are local.

    confidence = sqrt(share0 share1) exp(-|(q0 + q1) / 2 - p|^2 / 2), where share is the part of
    what p copied within `reach` of it that lies around the strongest response. The second factor
    is 1 where the two matches, found independently, agree on a uniform motion through p.

    What is asked is the mean of the network's answers to the frames and to their flips: what the
    network does by its own quirks differs between them, where it copied from does not.

    Works with any model that answers time 0.5 of two frames; MIND was made for it.

    Args:
      model: a system of 2 frames with time 0.5.
      variables: its variables.
      frame0: `[H, W, 3]` RGB of any size: uint8, uint16, or floats in [0, 1].
      frame1: like `frame0`.
      points: `[K, 2]` whole pixels (x, y) of the frame between; None: a grid.
      grid: pixels from point to point of that grid.
      reach: pixels from a point to its match in either frame, at most: half the largest motion.
      ensemble: "none", "flip2" or "flip4", as for `Interpolator`: as many times the work, and with
        mind/small a median error of 1.6, 1.4 and 1.3 px on the scenes of its test.
      memory: bytes that backward passes may take at once, roughly.

    Returns:
      Matches in the order of the points.

    Raises:
      ValueError: the model does not answer time 0.5 of two frames, frames or points do not fit,
        `grid` or `reach` is below 1, or there is no such ensemble.

    Source: Long et al. 2016, sec. 3.2. Fixed here, as the paper's text leaves it open or was not
    at hand: the reduction over colours, the centroid and the confidence. The flips are ours.
    """
    views.check(ensemble)
    if grid < 1 or reach < 1:
        raise ValueError(f"grid and reach must be at least 1 pixel, got {grid} and {reach}")
    frames, points = _checked(model, frame0, frame1, points, grid)
    passes = _passes(points, frames.shape[1:3], reach)
    chunk = max(1, memory // _bytes_per_pass(model, variables, frames, ensemble))
    at, share = _locate_all(model, variables, frames, points[passes], reach, ensemble, chunk)
    # A pass with fewer points than the fullest repeats its first; the repeats are equal.
    found = np.empty((len(points), 2, 2), np.float32)
    shares = np.empty((len(points), 2), np.float32)
    found[passes], shares[passes] = at, share
    offset = found.mean(axis=1) - points
    confidence = np.sqrt(shares.prod(axis=1)) * np.exp(-np.square(offset).sum(axis=1) / 2)
    return Matches(points, found[:, 0], found[:, 1], confidence)


def sensitivity(
    model: nn.Module,
    variables: dict,
    frame0: Image | np.ndarray,
    frame1: Image | np.ndarray,
    points: Any,
) -> Array:
    """The responses in which `match` looks for the strongest, as pictures, without any flips.

    Args:
      model: a system of 2 frames with time 0.5.
      variables: its variables.
      frame0: `[H, W, 3]` RGB of any size: uint8, uint16, or floats in [0, 1].
      frame1: like `frame0`.
      points: `[K, 2]` whole pixels (x, y) of the frame between.

    Returns:
      `[K, 2, H, W]` float32, not negative: for each point the responses of both frames.

    Raises:
      ValueError: as `match`.
    """
    frames, points = _checked(model, frame0, frame1, points, 1)
    return _respond_all(model, variables, frames, points)


def _checked(model, frame0, frame1, points, grid):
    """Both frames `[2, H, W, 3]` float32, and points `[K, 2]` int32 that lie inside them."""
    contract = model.contract
    if contract.frames != 2 or 0.5 not in (contract.times or (0.5,)):
        raise ValueError(f"model must make the frame between two, got one with {contract}")
    if frame0.shape != frame1.shape or frame0.ndim != 3 or frame0.shape[-1] != 3:
        raise ValueError(f"frames must be [H, W, 3] alike, got {frame0.shape} and {frame1.shape}")
    height, width = frame0.shape[:2]
    if points is None:
        rows, columns = (np.arange(min(grid, n) // 2, n, grid) for n in (height, width))
        points = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] != 2 or points.dtype.kind not in "iu" or not len(points):
        raise ValueError(
            f"points must be [K, 2] whole pixels (x, y), got {points.dtype} {points.shape}"
        )
    outside = ((points < 0) | (points >= (width, height))).any(axis=1)
    if outside.any():
        first = points[outside][0]
        raise ValueError(f"points must lie inside {width} x {height} pixels, got {first}")
    frames = jnp.stack([jnp.asarray(frame0), jnp.asarray(frame1)])
    levels.check(frames.dtype, "frames")
    return levels.unit(frames), points.astype(np.int32)


def _passes(points, shape, reach):
    """Indices `[P, M]` of points for each backward pass, more than 2 `reach` apart in it.

    A pass with fewer than M points repeats its first.
    """
    passes, taken = [], []  # taken: where no further point of the pass may lie
    for index, (x, y) in enumerate(points):
        free = next((n for n, area in enumerate(taken) if not area[y, x]), len(passes))
        if free == len(passes):
            passes.append([])
            taken.append(np.zeros(shape, bool))
        passes[free].append(index)
        rows, columns = (slice(max(at - 2 * reach, 0), at + 2 * reach + 1) for at in (y, x))
        taken[free][rows, columns] = True
    most = max(map(len, passes))
    return np.array([members + members[:1] * (most - len(members)) for members in passes])


def _bytes_per_pass(model, variables, frames, ensemble):
    """About what one backward pass holds at once, from the largest array of the forward one."""
    traced = jax.make_jaxpr(functools.partial(_between, model, variables, ensemble))(frames)
    made = [out.aval for equation in traced.eqns for out in equation.outvars]
    largest = max(aval.size * aval.dtype.itemsize for aval in made)
    return len(FLIPS[ensemble]) * LIVE_ARRAYS * largest


@functools.partial(jax.jit, static_argnames=("model", "reach", "ensemble", "chunk"))
def _locate_all(model, variables, frames, points, reach, ensemble, chunk):
    """Where the responses to points `[P, M, 2]` are strongest, and how much of them is there.

    Returns `[P, M, 2, 2]`: (x, y) in both frames, and shares `[P, M, 2]`.
    """
    differentiate = _gradients(model, variables, ensemble, frames)

    def locate(points):
        gradient = differentiate(points)
        in_frames = jax.vmap(_locate, in_axes=(0, 0, None, None))
        in_points = jax.vmap(in_frames, in_axes=(None, None, 0, None))
        return in_points(_response(gradient), _copied(gradient), points, reach)

    return lax.map(locate, points, batch_size=chunk)


@functools.partial(jax.jit, static_argnames="model")
def _respond_all(model, variables, frames, points):
    differentiate = _gradients(model, variables, "none", frames)
    return lax.map(lambda points: _response(differentiate(points)), points[:, None])


def _response(gradient):
    return jnp.abs(gradient) @ jnp.ones(3)


def _copied(gradient):
    return jnp.maximum(gradient @ jnp.ones(3), 0)


def _gradients(model, variables, ensemble, frames) -> Callable[[Array], Array]:
    """A function from points `[M, 2]` to the derivative `[2, H, W, 3]` of their RGB's sum."""
    frame_t, pull = jax.vjp(functools.partial(_between, model, variables, ensemble), frames)

    def differentiate(points):
        cotangent = jnp.zeros_like(frame_t).at[points[:, 1], points[:, 0]].set(1)
        return pull(cotangent)[0]

    return differentiate


def _between(model, variables, ensemble, frames):
    """The frame between two `[2, H, W, 3]` of any size, the mean over flips."""
    # Padded inside of what is differentiated, so that an edge pixel also answers for its copies.
    padding = PADDINGS["tight"]
    amounts = padding.amounts(frames.shape[-3:-1], multiple=model.contract.multiple)

    def answer(frames):
        padded = pad(frames, amounts, padding.value)[None]
        frame_t = model.apply(variables, padded, jnp.full((1, 1), 0.5))["frames"][0, 0]
        return crop(frame_t, amounts)

    return views.all_flips(answer, frames, ensemble)


def _locate(response, copied, point, reach):
    """(x, y) of the strongest response within `reach` of `point`, and the share copied there.

    `response` and `copied` are `[H, W]`.
    """
    shape = tuple(min(2 * reach + 1, size) for size in response.shape)
    start = jnp.clip(point[::-1] - reach, 0, jnp.array(response.shape) - jnp.array(shape))
    pixels = jnp.stack(jnp.mgrid[: shape[0], : shape[1]], axis=-1) + start
    near = jnp.abs(pixels - point[::-1]).max(axis=-1) <= reach
    window = near * lax.dynamic_slice(copied, start, shape)
    strength = near * lax.dynamic_slice(response, start, shape)
    peak = pixels.reshape(-1, 2)[strength.argmax()]
    around = window * (jnp.abs(pixels - peak).max(axis=-1) <= CENTROID_RADIUS)
    # A response that is zero everywhere matches nothing: the point itself, without confidence.
    total = around.sum()
    centroid = jnp.tensordot(around, pixels.astype(jnp.float32), 2) / jnp.maximum(total, TINY)
    share = total / jnp.maximum(window.sum(), TINY)
    return jnp.where(total > 0, centroid, point[::-1])[::-1], share
