"""VBench's motion smoothness."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from tests.models.test_amt import CASES, variables
from vfi_jax import metrics, registry


def _average(frames, times):
    return frames.mean(1, keepdims=True)


@functools.partial(jax.jit, static_argnames=("interpolate", "batch"))
def smoothness(frames, interpolate=_average, batch=1):
    return metrics.motion_smoothness(frames, interpolate, batch=batch)


@pytest.fixture
def clips():
    """Two clips of an odd size."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (2, 7, 13, 18, 3), np.uint8)


def test_the_definition(clips):
    clip = clips[0].astype(np.float32)
    middles = np.floor((clip[:-2:2] + clip[2::2]) / 2)
    difference = np.abs(middles - clip[1::2]).mean()
    np.testing.assert_allclose(smoothness(clips[0]), (255 - difference) / 255, rtol=1e-6)


def test_predictable_motion_is_perfectly_smooth():
    ramp = np.uint8(20 * np.arange(7))[:, None, None, None] * np.ones((1, 16, 16, 3), np.uint8)
    assert smoothness(ramp) == 1
    assert smoothness(ramp[:6]) == smoothness(ramp[:5])  # the last one of six is not used
    assert smoothness(ramp / np.float32(255)) == 1


def test_scores_do_not_depend_on_the_batch_size(clips):
    together = smoothness(clips, batch=4)
    assert together.shape == (2,)
    np.testing.assert_allclose(together, [smoothness(clip) for clip in clips], rtol=1e-6)
    np.testing.assert_allclose(together, smoothness(clips[:, None])[:, 0], rtol=1e-6)


def test_invalid_clips_are_rejected(clips):
    with pytest.raises(ValueError, match=r"frames must be \[\*B, 3 or more, H, W, 3\]"):
        smoothness(clips[:, :2])
    with pytest.raises(ValueError, match="batch must be at least 1, got 0"):
        smoothness(clips, batch=0)


@pytest.mark.slow
def test_it_equals_the_score_of_vbench():
    case = CASES["s", "vbench-score"]
    model = registry.create("amt/s")

    @jax.jit
    def score(variables, clip):
        def interpolate(frames, times):
            return model.apply(variables, frames, times)["frames"]

        return metrics.motion_smoothness(clip, interpolate, batch=3)

    found = score(variables("s"), jnp.asarray(support.clip(case)))
    np.testing.assert_allclose(found, case["outputs"]["score"]["value"][0], atol=1e-5)
