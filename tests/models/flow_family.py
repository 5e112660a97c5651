"""Helpers for the tests of MEMC-Net and DAIN: running a case, and pixels sensitive to rounding.

Splats and adaptive filters jump where a flow's target crosses an integer. Two correct float32
programs put some targets on different sides and differ there by whole grey levels.
"""

import functools

import cv2
import jax
import jax.numpy as jnp
import numpy as np

from tests import support

# Pixels from an integer: float32 flows of two programs differ by 1e-5, by 2e-6 of the largest where
# that is more.
NEAR, NEAR_OF_LARGEST = 3e-5, 3e-6
SPLAT = 2  # pixels around a target whose projected flow may change
CROSSED = 5e-4  # what most pixels keep to where a case has crossings
NOISE_LIMIT = 1e-3  # the original's own float32 noise is larger only where it crossed itself


@functools.partial(jax.jit, static_argnums=0)
def run(model, variables, frames, times):
    """All outputs of a system for frames `[B, 2, H, W, 3]` and times `[T]`."""
    return model.apply(variables, frames, jnp.tile(times, (len(frames), 1)))


def frames_of(arrays):
    """Frames `[B, 2, H, W, 3]` of a full case."""
    pair = [support.channels_last(arrays[name]) for name in ("im0", "im2")]
    return np.stack(pair, axis=1) / np.float32(255)


def noise_of(group, file):
    """The original's own float32 noise in each output of a full case."""
    cases = support.full(group)["cases"]
    return next(case["f32_vs_f64_max_abs"] for case in cases if case["file"] == file)


def assert_stored(array, arrays, key, *, tolerance=1e-4, within=0.98):
    """An output agrees with the subsampled one that a full case stores as `<key>_s<step>`."""
    stored = next(name for name in arrays if name.startswith(f"{key}_s"))
    step = int(stored.rpartition("_s")[2])
    wanted = support.channels_last(arrays[stored])
    support.assert_close(array[..., ::step, ::step, :], wanted, tolerance, within=within)


def assert_frame(frame, wanted, clear, *, noise=0.0):
    """A frame agrees wherever no crossing can be felt, and nearly everywhere as a whole."""
    frame, wanted = np.asarray(frame), np.asarray(wanted)
    assert np.isfinite(frame).all()
    tolerance = 5e-5 if noise > NOISE_LIMIT else max(5e-5, 5 * noise)
    largest = np.abs(wanted).max()
    support.assert_close(frame[clear], wanted[clear], tolerance, largest=largest)
    support.assert_close(frame, wanted, CROSSED, within=0.98)


def clear_of_crossings(landing, projected, *, reach):
    """`[B, H, W]`, where no flow's target lies so near to an integer that rounding decides.

    Args:
      landing: flows that were projected, each `[B, H, W, 2]`.
      projected: the flows that came of them.
      reach: pixels that the rectifier sees to each side.
    """
    marked = np.zeros(np.shape(landing[0])[:3], np.uint8)
    for flow in map(np.asarray, landing):
        batch, row, column = np.nonzero(_near_integer(flow))
        x, y = np.rint(flow[batch, row, column]).astype(int).T
        height, width = marked.shape[1:]
        inside = (row + y >= 0) & (row + y < height) & (column + x >= 0) & (column + x < width)
        hit = np.zeros_like(marked)
        hit[batch[inside], (row + y)[inside], (column + x)[inside]] = 1
        marked |= _dilated(hit, SPLAT)
    for flow in map(np.asarray, projected):
        marked |= _near_integer(flow).astype(np.uint8)
    return _dilated(marked, reach) == 0


def _near_integer(flow):
    """`[B, H, W]`, where a target is as near to an integer as two programs are to each other."""
    near = max(NEAR, NEAR_OF_LARGEST * np.abs(flow).max())
    return (np.abs(flow - np.rint(flow)) < near).any(axis=-1)


def _dilated(masks, pixels):
    kernel = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return np.stack([cv2.dilate(mask, kernel) for mask in masks])
