"""Baselines: a copied frame, an average, and classical optical flow."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

import cv2
import jax.numpy as jnp
import numpy as np

from vfi_jax import lookup, ops
from vfi_jax.evaluation.score import Answer


def baseline(name: str, *, scale: int = 1) -> Answer:
    """A baseline by name: "copy", "average" or "dis".

    Args:
      name: as above.
      scale: scale of the compared models; frames are upsampled by bicubic interpolation.

    Returns:
      A function from float32 frames `[N, H, W, 3]` in [0, 1] and times in input frames to
      `[T, scale H, scale W, 3]`, like an `Interpolator`.

    Raises:
      ValueError: unknown name; when called: a time past the clip's end.
    """
    if name not in BASELINES:
        raise ValueError(lookup.unknown("baseline", name, BASELINES))
    between = BASELINES[name]

    def answer(frames: np.ndarray, times: Sequence[Fraction]) -> np.ndarray:
        return np.stack([_enlarged(_at(frames, time, between), scale) for time in times])

    return answer


def _at(frames, time, between):
    """The frame at a time: an input at an integer time, otherwise computed from its neighbours."""
    first = int(time // 1)
    if not 0 <= first < len(frames) or (time > first and first + 1 == len(frames)):
        raise ValueError(f"times must lie between 0 and {len(frames) - 1}, got {float(time):g}")
    if time == first:
        return frames[first]
    return between(frames[first], frames[first + 1], float(time - first))


def _enlarged(frame, scale):
    return frame if scale == 1 else np.asarray(ops.imresize(jnp.asarray(frame), scale))


def _copy(frame0, frame1, time):
    """The previous frame."""
    return frame0


def _average(frame0, frame1, time):
    """The mean of both frames for any time between them."""
    return (frame0 + frame1) / 2


def _dis(frame0, frame1, time):
    """Both frames warped by flows from OpenCV's dense inverse search (DIS).

    flow_t0 = -t (1 - t) flow01 + t^2 flow10 and flow_t1 = (1 - t)^2 flow01 - t (1 - t) flow10; the
    result is (1 - t) frame0(p + flow_t0) + t frame1(p + flow_t1).

    Source: Kroeger et al. 2016 (arXiv:1603.03590), preset "medium"; the flows at t by Jiang et al.
    2018 (arXiv:1712.00080), eq. 4.
    """
    grey0, grey1 = (_grey(frame) for frame in (frame0, frame1))
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow01, flow10 = search.calc(grey0, grey1, None), search.calc(grey1, grey0, None)
    flow_t0 = -time * (1 - time) * flow01 + time**2 * flow10
    flow_t1 = (1 - time) ** 2 * flow01 - time * (1 - time) * flow10
    return (1 - time) * _warp(frame0, flow_t0) + time * _warp(frame1, flow_t1)


def _grey(frame):
    return cv2.cvtColor(np.rint(frame * 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)


def _warp(frame, flow):
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    at = x + np.float32(flow[..., 0]), y + np.float32(flow[..., 1])
    return cv2.remap(frame, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


BASELINES: Mapping[str, Callable[[np.ndarray, np.ndarray, float], np.ndarray]] = {
    "copy": _copy,
    "average": _average,
    "dis": _dis,
}
