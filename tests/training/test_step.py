"""The training step: jit and pmap, full batches and accumulation give the same result."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import pytest

from vfi_jax import losses
from vfi_jax.layers.conv import Conv
from vfi_jax.layers.norm import BatchNorm
from vfi_jax.training.optimizer import Optimizer, cosine, steps_down
from vfi_jax.training.state import State
from vfi_jax.training.step import make_step


class Toy(nn.Module):
    """One convolution and a normalisation with statistics over all devices."""

    axis_name: str | None = None

    @nn.compact
    def __call__(self, frames, times, *, targets=None, train=False):
        x = jnp.concatenate([frames[:, 0], frames[:, 1]], axis=-1)
        x = BatchNorm(axis_name=self.axis_name, name="norm")(x, train=train)
        return {"frames": Conv(3, name="conv")(x)[:, None]}


def l1(prediction, batch, frozen):
    parts = {"l1": losses.l1(prediction["frames"], batch["targets"])}
    return parts["l1"], parts


def square_sum(prediction, batch, frozen):
    # Small enough for its gradients to be of the parameters' size, as the tolerance expects.
    parts = {"square": 0.01 * jnp.square(prediction["frames"] - batch["targets"]).sum()}
    return parts["square"], parts


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    frames = rng.random((8, 2, 6, 6, 3), np.float32)
    return {
        "frames": frames,
        "times": np.full((8, 1), 0.5, np.float32),
        "targets": frames.mean(1, keepdims=True),
    }


# SGD shows a wrong scale of gradients, which Adam would hide.
SGD = Optimizer("sgd", 0.01).build(10)


def _start(optimizer=SGD, *, ema=False):
    inputs = {"frames": jnp.zeros((1, 2, 6, 6, 3)), "times": jnp.zeros((1, 1))}
    return State.start(Toy().init(jax.random.key(0), **inputs), optimizer, ema=ema)


@pytest.mark.parametrize(("loss", "summed"), [(l1, False), (square_sum, True)])
def test_pmap_and_jit_take_the_same_step(batch, loss, summed):
    whole = jax.jit(make_step(Toy(), loss, SGD, summed=summed))
    parts = jax.pmap(
        make_step(Toy(axis_name="i"), loss, SGD, summed=summed, axis_name="i"),
        axis_name="i",
        in_axes=(None, 0, None),
    )
    wanted, metrics = whole(_start(), batch, {})
    split = jax.tree.map(lambda x: x.reshape(4, 2, *x.shape[1:]), batch)
    found, split_metrics = parts(_start(), split, {})
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b[0], rtol=1e-5, atol=1e-6), wanted, found
    )
    np.testing.assert_allclose(metrics["loss"], split_metrics["loss"][0], rtol=1e-5)


def test_gradient_accumulation_equals_the_full_batch(batch):
    # Without normalisation, whose statistics are those of a part.
    step = {parts: jax.jit(make_step(Plain(), l1, SGD, accumulate=parts)) for parts in (1, 4)}
    start = State.start({"params": {"conv": _start().params["conv"]}}, SGD, ema=False)
    whole, _ = step[1](start, batch, {})
    parts, _ = step[4](start, batch, {})
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7),
        whole.params,
        parts.params,
    )


class Plain(nn.Module):
    @nn.compact
    def __call__(self, frames, times, *, targets=None, train=False):
        x = jnp.concatenate([frames[:, 0], frames[:, 1]], axis=-1)
        return {"frames": Conv(3, name="conv")(x)[:, None]}


def test_a_non_finite_step_changes_only_the_count(batch):
    step = jax.jit(make_step(Toy(), l1, SGD, ema=0.9))
    start = _start(ema=True)
    batch["targets"][0, 0, 0, 0, 0] = np.nan
    state, metrics = step(start, batch, {})
    assert float(metrics["finite"]) == 0
    assert int(state.step) == 1
    jax.tree.map(np.testing.assert_array_equal, state.replace(step=start.step), start)


def test_the_moving_average_follows_the_parameters(batch):
    step = jax.jit(make_step(Toy(), l1, SGD, ema=0.999))
    start = _start(ema=True)
    state, _ = step(start, batch, {})
    np.testing.assert_allclose(
        state.ema["conv"]["bias"],
        0.1 * start.params["conv"]["bias"] + 0.9 * state.params["conv"]["bias"],
        rtol=1e-5,
    )


def test_a_scale_slows_only_its_part(batch):
    slow = Optimizer("sgd", 0.1, scale={"norm": 0.0}).build(10)
    state, _ = jax.jit(make_step(Toy(), l1, slow))(_start(slow), batch, {})
    np.testing.assert_array_equal(state.params["norm"]["scale"], np.ones(6))
    assert not np.array_equal(state.params["conv"]["bias"], _start().params["conv"]["bias"])


def test_muon_treats_kernels_separately():
    rng = np.random.default_rng(0)
    shapes = [(3, 3, 4, 6), (3, 3, 4, 6), (1, 1, 6, 2), (6,), (6,), ()]

    def drawn():
        return {f"of{n}": jnp.asarray(rng.normal(size=shape)) for n, shape in enumerate(shapes)}

    def rows_and_columns(params):
        shape = optax.contrib.MuonDimensionNumbers((0, 1, 2), (3,))
        return jax.tree.map(lambda leaf: shape if leaf.ndim == 4 else None, params)

    params, gradients = drawn(), [drawn(), drawn()]
    optimizer = Optimizer("muon", 0.01).build(10)
    one_by_one = optax.contrib.muon(
        0.01, adam_learning_rate=0.001, muon_weight_dimension_numbers=rows_and_columns
    )
    state, own = optimizer.init(params), one_by_one.init(params)
    for gradient in gradients:
        together, state = optimizer.update(gradient, state, params)
        expected, own = one_by_one.update(gradient, own, params)
    for name in params:
        np.testing.assert_allclose(together[name], expected[name], rtol=1e-4, atol=1e-6)


def test_schedules_reach_their_final_values():
    warm = cosine(warmup=10, end=3e-6)(3e-4, 100)
    np.testing.assert_allclose([warm(0), warm(10), warm(100)], [0, 3e-4, 3e-6], rtol=1e-4)
    down = steps_down(0.2, 0.75)(1e-4, 40)
    np.testing.assert_allclose([down(29), down(31)], [1e-4, 2e-5], rtol=1e-5)
