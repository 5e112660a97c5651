import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax import ops


def constant(x, y, size=(4, 6)):
    return jnp.broadcast_to(jnp.array([x, y], jnp.float32), (*size, 2))


def test_consistent_flows_have_zero_error():
    error = ops.forward_backward_error(constant(1, 0), constant(-1, 0))
    np.testing.assert_array_equal(error, jnp.zeros((4, 6, 1)))
    error = ops.forward_backward_error(constant(3, 0), constant(0, 4))
    np.testing.assert_allclose(error, 5)


def test_consistent_flows_have_a_finite_gradient():
    gradient = jax.grad(lambda f: ops.forward_backward_error(f, -f).sum())(constant(1, 0))
    np.testing.assert_array_equal(gradient, 0)


def test_inconsistent_and_outside_pixels_are_occluded():
    mask = ops.occlusion_mask(constant(2, 0), constant(-2, 0))[0, :, 0]
    np.testing.assert_array_equal(mask, [0, 0, 0, 0, 1, 1])
    # |difference|^2 = 1 against 0.01 (1 + 4) + 0.5
    assert ops.occlusion_mask(constant(1, 0), constant(-2, 0)).all()
    assert not ops.occlusion_mask(constant(1, 0), constant(-2, 0), absolute=1.0)[:, :-1].any()


def test_nan_flow_is_occluded():
    for odd in (jnp.nan, jnp.inf, 1e30):
        assert ops.occlusion_mask(constant(odd, 0), constant(0, 0)).all()
        assert ops.occlusion_mask(constant(0, 0), constant(odd, 0)).all()
    assert jnp.isnan(ops.forward_backward_error(constant(0, 0), constant(jnp.nan, 0))).all()
