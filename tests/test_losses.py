"""Losses on values that can be checked by hand."""

import functools

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


def test_mismatched_shapes_are_rejected(pair):
    with pytest.raises(ValueError, match="shape of prediction"):
        losses.charbonnier(pair[0], pair[1][:, :2])
    with pytest.raises(ValueError, match="at least 2 pixels"):
        losses.total_variation(jnp.zeros((1, 8, 2)))


@pytest.mark.parametrize(("loss", "window"), [(losses.census, 7), (losses.geometry, 3)])
def test_census_losses_compare_only_structure(loss, window):
    a, b = np.random.default_rng(0).uniform(size=(2, 2, 12, 13, 3)).astype(np.float32)
    assert loss(a, a) == 0
    assert loss(a, a + 0.25) < 1e-6
    inner = (12 - window + 1) * (13 - window + 1)
    assert 0 < loss(a, b) < inner / (12 * 13)
    with pytest.raises(ValueError, match=f"the window's {window} pixels"):
        loss(a[:, : window - 1], b[:, : window - 1])


def test_census_of_one_step_by_hand():
    """One bright pixel in the middle of a dark image: it is in every complete window."""
    dark = np.zeros((1, 3, 3, 1), np.float32)
    bright = dark.copy()
    bright[0, 1, 1] = 0.9
    square = 0.5  # of 0.9 / sqrt(0.9^2 + 0.9^2), with each of 8 neighbours
    expected = 8 / 9 * square / (0.1 + square) / 9  # one pixel of 9 has its window inside
    np.testing.assert_allclose(losses.census(bright, dark, window=3), expected, rtol=1e-5)
    np.testing.assert_allclose(losses.geometry(bright, dark), expected, rtol=1e-5)
    assert np.any(jax.grad(losses.geometry, argnums=1)(bright, dark))
    assert not np.any(jax.grad(lambda a, b: losses.census(a, b, window=3), argnums=1)(bright, dark))


def test_the_flow_distance_is_l1_where_the_finest_flow_agrees():
    teacher = np.zeros((1, 2, 4, 4, 2), np.float32)
    coarse = np.full((1, 2, 2, 2, 2), 1.5, np.float32)  # 3 pixels of full size
    near = losses.robust_flow_distance([coarse], teacher, teacher)
    np.testing.assert_allclose(near, 2 * np.sqrt(9 + 1e-6), rtol=1e-5)  # eps = 10^-3 at trust 1
    far = losses.robust_flow_distance([coarse], teacher + 20, teacher)
    np.testing.assert_allclose(far, 2, rtol=0.02)  # a power of nearly 0
    with pytest.raises(ValueError, match="teacher_flow must have the shape of finest"):
        losses.robust_flow_distance([coarse], teacher, teacher[:, :1])
    with pytest.raises(ValueError, match="flows must be"):
        losses.robust_flow_distance([coarse], teacher.repeat(2, 0), teacher.repeat(2, 0))


def test_distillation_rejects_shapes_that_would_broadcast():
    flow, blend = np.zeros((2, 2, 8, 8, 2), np.float32), np.zeros((2, 8, 8, 3), np.float32)
    assert losses.flow_distillation([flow], [blend], flow, blend, blend) == 0
    for levels, blends, target, named in (
        ([flow], [blend], blend[:1], "teacher_blend must have the shape of target"),
        ([flow], [blend[:1]], blend, "blends must have the shape of teacher_blend"),
        ([flow[:1]], [blend], blend, "flows must have the shape of teacher_flow"),
        ([flow], [], blend, "blends must be as many as flows"),
    ):
        with pytest.raises(ValueError, match=named):
            losses.flow_distillation(levels, blends, flow, blend, target)


def test_feature_losses_report_missing_layers():
    image = np.zeros((1, 16, 16, 3), np.float32)
    with pytest.raises(ValueError, match="prediction and target of"):
        losses.laplacian(image, image)
    with pytest.raises(ValueError, match="layer must be one of relu1_1, got 'relu9'"):
        losses.perceptual(image, image, lambda image: {"relu1_1": image}, layer="relu9")
    with pytest.raises(ValueError, match="layer must be one of relu1_1, got 'relu9'"):
        losses.style(image, image, lambda image: {"relu1_1": image}, weights={"relu9": 1.0})


def test_feature_losses_weight_layers_and_style_ignores_positions(pair):
    seen = {"image": 2.0, "half": 0.5}
    a, b = pair[0], pair[1]
    shuffled = a[..., ::-1, :]

    def features(image):
        return {"image": image, "half": image[..., ::2, ::2, :], "unused": image}

    distance = losses.perceptual_l1(a, b, features, weights=seen)
    halves = np.abs(a - b)[..., ::2, ::2, :]
    np.testing.assert_allclose(distance, 2 * np.abs(a - b).mean() + halves.mean() / 2, rtol=1e-6)
    grams = [np.einsum("bthwc,bthwd->btcd", x, x) / 20 for x in (a[None], b[None])]
    style = losses.style(a, b, features, weights={"image": 2.0})
    np.testing.assert_allclose(style, 2 * np.square(grams[0] - grams[1]).mean(), rtol=1e-5)
    assert losses.style(a, shuffled, features, weights={"image": 1.0}) < 1e-12
    assert losses.perceptual_l1(a, shuffled, features, weights={"image": 1.0}) > 0.1
    for loss in (losses.perceptual_l1, losses.style):
        weighed = functools.partial(loss, features=features, weights=seen)
        assert weighed(a.astype(jnp.bfloat16), b.astype(jnp.bfloat16)).dtype == jnp.float32
        assert weighed(a, a) == 0
        assert np.isfinite(jax.grad(weighed)(a, a)).all()
