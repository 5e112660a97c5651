"""Extra channels move like the frames."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vfi_jax
from tests.interpolation import toys
from vfi_jax.contract import Contract

MOTION = 2.0  # pixels to the right from frame to frame
EDGE = 4  # pixels within which some flow points out of the frame


class Moving(nn.Module):
    """Everything moves to the right by `MOTION`; the frame nearer in time has more weight."""

    contract = Contract(frames=2, times=None, multiple=8, flows=True)

    @nn.compact
    def __call__(self, frames, times, *, targets=None, train=False):
        batch, count = times.shape
        size = frames.shape[2:4]
        along = jnp.stack([-times, 1 - times], axis=-1) * MOTION
        flow = jnp.zeros((batch, count, 2, *size, 2)).at[..., 0].set(along[..., None, None])
        logit = jnp.log((1 - times) / times)[..., None, None, None]
        logits = jnp.broadcast_to(logit, (batch, count, *size, 1))
        return {"frames": toys.between(frames, times), "flows": (flow,), "logits": (logits,)}


MODEL = Moving()
call = functools.partial(vfi_jax.interpolate, MODEL, {})


def _bands(length=3, channels=10, size=(9, 21)):
    """Moving ramps far outside of [0, 1], and their exact values at a time."""
    slopes = 100 * np.arange(1, channels + 1, dtype=np.float32)

    def at(time):
        ramp = np.arange(size[1], dtype=np.float32) - np.float32(MOTION * time)
        return np.broadcast_to(ramp[:, None] * slopes, (*size, channels))

    return np.stack([at(time) for time in range(length)]), at


@pytest.mark.parametrize("channels", [1, 10])
@pytest.mark.parametrize("kind", ["function", "jit", "interpolator", "tiles"])
def test_extra_channels_follow_the_flow_and_do_not_change_frames(kind, channels):
    extra, at = _bands(channels=channels)
    frames = np.random.default_rng(0).integers(0, 256, (3, 9, 21, 3), np.uint8)
    times = (0, 0.2, 1, 1.6)  # no level falls half-way between two
    if kind in ("function", "jit"):
        run = functools.partial(call, times=times)
        run = jax.jit(run) if kind == "jit" else run
    else:
        driver = vfi_jax.Interpolator(MODEL, {}, tile=16 if kind == "tiles" else None, overlap=8)
        run = functools.partial(driver, times=times)
    made, carried = run(frames, extra=extra)
    np.testing.assert_array_equal(made, run(frames))
    assert made.dtype == np.uint8
    assert carried.shape == (4, 9, 21, channels)
    np.testing.assert_array_equal(carried[::2], extra[:2])
    for index in (1, 3):
        wanted = at(times[index])[:, EDGE:-EDGE]
        np.testing.assert_allclose(carried[index, :, EDGE:-EDGE], wanted, rtol=1e-4, atol=1e-2)


def test_extra_channels_support_gradients_and_traced_times():
    extra, at = _bands()
    frames = np.zeros((3, 9, 21, 3), np.float32)
    times = jnp.float32([1.5, 1])
    carried = jax.jit(lambda times: call(frames, times, extra=extra)[1])(times)
    wanted = at(1.5)[:, EDGE:-EDGE]
    np.testing.assert_allclose(carried[0, :, EDGE:-EDGE], wanted, rtol=1e-4, atol=1e-2)
    np.testing.assert_array_equal(carried[1], extra[1])
    gradient = jax.grad(lambda extra: call(frames, [0.25], extra=extra)[1].sum())(extra)
    np.testing.assert_allclose(gradient[0, :, EDGE:-EDGE], 0.75, rtol=1e-5)


def test_extra_channels_keep_their_type_and_are_checked():
    frames, (extra, _) = np.zeros((3, 9, 21, 3), np.float32), _bands()
    assert call(frames, [0.5], extra=extra.astype(jnp.bfloat16))[1].dtype == jnp.bfloat16
    for wrong, message in (
        (extra[:2], r"extra must be \(3, 9, 21, K\) to fit frames, got \(2, 9, 21, 10\)"),
        (extra.astype(np.int32), "extra must be floating-point, got int32"),
    ):
        with pytest.raises(ValueError, match=message):
            call(frames, [0.5], extra=wrong)
    with pytest.raises(ValueError, match="frames must have 3 channels for motion"):
        call(frames[..., :1], [0.5], extra=extra)
    with pytest.raises(ValueError, match="extra needs a model whose contract has flows"):
        vfi_jax.interpolate(toys.ANY, {}, frames, [0.5], extra=extra)
    with pytest.raises(ValueError, match="frame 0 must be finite"):
        vfi_jax.Interpolator(MODEL, {})(frames, [0.5], extra=np.full_like(extra, np.nan))
