"""Properties of Tween."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from vfi_jax import registry


@pytest.fixture(scope="module")
def model():
    return registry.create("tween")


def test_it_is_small(model):
    assert registry.count_parameters(registry.abstract_variables(model)) <= 3_000_000


def test_the_untrained_network_blends_the_frames(model):
    def fill(path, leaf):
        return np.zeros_like(leaf) if any(key.key == "head" for key in path) else leaf

    variables = jax.tree_util.tree_map_with_path(fill, support.variables(model))
    frames = jax.random.uniform(jax.random.key(0), (1, 2, 32, 32, 3))
    out = jax.jit(model.apply)(variables, frames, jnp.array([[0.25, 0.0, 1.0]]))["frames"][0]
    first, second = frames[0]
    np.testing.assert_allclose(out[0], 0.75 * first + 0.25 * second, atol=1e-5)
    np.testing.assert_allclose(out[1], first, atol=2e-3)
    np.testing.assert_allclose(out[2], second, atol=2e-3)


def test_flow_can_be_estimated_at_another_resolution(model):
    halved = registry.create("tween", flow_scale=0.5)
    assert model.contract.multiple == 32
    assert halved.contract.multiple == 64
    inputs = registry.example_inputs(halved)
    prediction = jax.eval_shape(halved.apply, registry.abstract_variables(model), **inputs)
    assert prediction["frames"].shape == (1, 1, 64, 64, 3)
    assert [flow.shape[-2] for flow in prediction["flows"]] == [1, 2, 4, 16, 64]


def test_the_number_of_blocks_is_checked():
    with pytest.raises(ValueError, match="one entry for each of 3 levels"):
        registry.create("tween", channels=(32, 16))
