"""Properties of the shared pyramid."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.golden import standin
from vfi_jax import registry


def test_the_old_name_gives_the_same_model_with_a_warning():
    with pytest.warns(FutureWarning, match="rife/small is now called shared_pyramid"):
        assert registry.create("rife/small") == registry.create("shared_pyramid")


def test_the_contract_follows_the_config():
    assert registry.create("shared_pyramid", flow_scale=0.5).contract.multiple == 64
    with pytest.raises(ValueError, match="coarse must be"):
        registry.create("shared_pyramid", coarse=8)


@pytest.fixture(scope="module")
def model():
    """The untrained model, under jit."""
    model = registry.create("shared_pyramid")
    inputs = jnp.zeros((1, 2, 32, 32, 3)), jnp.full((1, 1), 0.5)
    values = jax.jit(model.init)(jax.random.key(0), *inputs)
    return functools.partial(jax.jit(model.apply), values)


@pytest.mark.slow
def test_the_untrained_network_finds_the_direction_of_motion(model):
    moved = [standin.image(5, 64, 64, shift=(4.0 * step, 0.0)) for step in (0, 1)]
    frames = np.stack(moved)[None] / np.float32(255)
    prediction = model(frames, jnp.array([[0.5, 0.0]]))
    to_frame1 = np.asarray(prediction["flows"][-1])[0, 0, 1].mean((0, 1))
    assert to_frame1[0] > 0.25 > 4 * abs(to_frame1[1])  # of 2 pixels; a quarter is trusted
    # At an input's own time the frame is that input, but for the untrained residual.
    np.testing.assert_allclose(prediction["frames"][:, 1], frames[:, 0], atol=0.03)


@pytest.mark.slow
def test_several_times_equal_single_calls(model):
    frames = jax.random.uniform(jax.random.key(0), (1, 2, 64, 64, 3))
    both = model(frames, jnp.array([[0.75, 0.25]]))["frames"]
    np.testing.assert_allclose(both[:, 1:], model(frames, jnp.array([[0.25]]))["frames"], atol=1e-5)
