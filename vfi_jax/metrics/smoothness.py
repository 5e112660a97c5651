"""Motion smoothness of a video, judged by a frame interpolation network."""

from collections.abc import Callable

import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array, Frames, Times

PEAK = 255
MULTIPLE = 16  # height and width are padded to a multiple of this
PIXELS = (-3, -2, -1)


def motion_smoothness(
    frames: Frames, interpolate: Callable[[Frames, Times], Frames], *, batch: int = 1
) -> Array:
    """VBench's motion smoothness: every second frame against its interpolation from the neighbours.

    (255 - mean over k of mean |predicted_k - frame_{2 k + 1}|) / 255, of 8-bit values

    The even frames are the input. If the number of frames is even, the last one is ignored. Frames
    are edge-padded, centred, to multiples of 16; predictions are cropped and truncated to 8 bits.
    VBench rates generated video with this metric and AMT-S (`amt/s`):

        model, variables = vfi_jax.load("amt/s")
        interpolate = lambda frames, times: model.apply(variables, frames, times)["frames"]
        score = jax.jit(lambda clip: metrics.motion_smoothness(clip, interpolate))(clip)

    Args:
      frames: `[*B, N, H, W, 3]` RGB, at least three: uint8, or floats in [0, 1], which are rounded
        to 8 bits.
      interpolate: function from pairs `[batch, 2, H', W', 3]` in [0, 1] and times `[batch, 1]`, all
        0.5, to `[batch, 1, H', W', 3]`.
      batch: pairs per call. More need more memory; they may come from several clips.

    Returns:
      float32 `[*B]`, 1 where every prediction is exact. VBench's tables show
      (score - 0.706) / (0.9975 - 0.706).

    Raises:
      ValueError: fewer than three frames, the number of channels is not 3, or batch is below 1.

    Source: Huang et al. 2023 (VBench, arXiv:2311.17982), sec. 3.2; its vbench/motion_smoothness.py.
    """
    *leading, count, height, width, channels = frames.shape
    if count < 3 or channels != 3:
        raise ValueError(f"frames must be [*B, 3 or more, H, W, 3], got {frames.shape}")
    if batch < 1:
        raise ValueError(f"batch must be at least 1, got {batch}")
    values = _eight_bits(frames).reshape(-1, count, height, width, channels)
    given = _padded(values[:, ::2] / PEAK)
    pairs = jnp.stack([given[:, :-1], given[:, 1:]], axis=2)
    pairs = pairs.reshape(-1, *pairs.shape[2:])
    predicted = _in_batches(pairs, interpolate, batch)
    top, left = (-size % MULTIPLE // 2 for size in (height, width))
    predicted = predicted[:, top : top + height, left : left + width]
    predicted = jnp.floor(jnp.clip(PEAK * predicted, 0, PEAK))
    truth = values[:, 1 : count - 1 : 2]
    difference = jnp.abs(predicted.reshape(truth.shape) - truth).mean(PIXELS)
    return ((PEAK - difference.mean(-1)) / PEAK).reshape(leading)


def _eight_bits(frames):
    """Whole numbers 0 to 255 in float32."""
    if jnp.issubdtype(frames.dtype, jnp.floating):
        frames = jnp.round(PEAK * jnp.clip(frames.astype(jnp.float32), 0, 1))
    return frames.astype(jnp.float32)


def _padded(frames):
    margins = [(0, 0)] * frames.ndim
    for axis in (-3, -2):
        more = -frames.shape[axis] % MULTIPLE
        margins[axis] = (more // 2, more - more // 2)
    return jnp.pad(frames, margins, mode="edge")


def _in_batches(pairs, interpolate, batch):
    """The middle frame of every pair, `[P, H, W, 3]` float32."""
    count = len(pairs)
    whole = jnp.pad(pairs, [(0, -count % batch), *[(0, 0)] * (pairs.ndim - 1)], mode="edge")
    times = jnp.full((batch, 1), 0.5)
    batches = whole.reshape(-1, batch, *pairs.shape[1:])
    middle = lax.map(lambda pairs: interpolate(pairs, times)[:, 0], batches)
    return middle.reshape(-1, *middle.shape[2:])[:count].astype(jnp.float32)
