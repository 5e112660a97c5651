"""Losses on numbers that can be checked by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vfi_jax import losses


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    return rng.uniform(size=(2, 2, 4, 5, 3)).astype(np.float32)


def test_l1_is_the_mean_absolute_difference(pair):
    np.testing.assert_allclose(losses.l1(*pair), np.abs(pair[0] - pair[1]).mean(), rtol=1e-6)
    assert losses.l1(pair[0], pair[0]) == 0


def test_charbonnier_squares_its_eps():
    zero = jnp.zeros((1, 1, 1, 1))
    np.testing.assert_allclose(losses.charbonnier(zero, zero, eps=0.1), 0.1, rtol=1e-6)
    np.testing.assert_allclose(losses.charbonnier(zero, zero + 0.3, eps=0.4), 0.5, rtol=1e-6)


@pytest.mark.parametrize("loss", [losses.l1, losses.charbonnier])
def test_pixel_losses_are_symmetric_scalars_in_float32(loss, pair):
    a, b = jnp.asarray(pair, jnp.bfloat16)
    assert loss(a, b).shape == ()
    assert loss(a, b).dtype == jnp.float32
    assert loss(a, b) == loss(b, a)
    assert np.isfinite(jax.grad(loss)(pair[0], pair[0])).all()


def test_total_variation_of_a_ramp_is_its_slopes():
    y, x = np.mgrid[:4, :6].astype(np.float32)
    ramp = (0.3 * x - 0.5 * y)[..., None]
    np.testing.assert_allclose(losses.total_variation(ramp, eps=0.0), 0.8, rtol=1e-5)
    np.testing.assert_allclose(losses.total_variation(0 * ramp, eps=1e-3), 2e-3, rtol=1e-5)


def test_total_variation_has_a_gradient_where_nothing_varies():
    assert np.isfinite(jax.grad(losses.total_variation)(jnp.zeros((3, 3, 2)))).all()


def test_what_does_not_fit_is_refused(pair):
    with pytest.raises(ValueError, match="shape of prediction"):
        losses.charbonnier(pair[0], pair[1][:, :2])
    with pytest.raises(ValueError, match="at least 2 pixels"):
        losses.total_variation(jnp.zeros((1, 8, 2)))
