"""Tests of every loss with a prediction and a target; new losses are included automatically."""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vfi_jax import losses

SIDE = 64  # pixels: five halvings
OPTIONS = {  # what losses of a network's features need
    "features": lambda image: {"relu4_4": image},
    "weights": {"relu4_4": 1.0},
}


def _comparing():
    found = []
    for name in losses.__all__:
        parameters = inspect.signature(getattr(losses, name)).parameters
        if list(parameters)[:2] == ["prediction", "target"]:
            needed = {key: value for key, value in OPTIONS.items() if key in parameters}
            found.append(pytest.param(functools.partial(getattr(losses, name), **needed), id=name))
    return found


each = pytest.mark.parametrize("loss", _comparing())


@each
def test_it_decreases_to_the_target_with_a_finite_gradient_and_is_a_float32_mean(loss):
    rng = np.random.default_rng(0)
    target = rng.random((2, SIDE, SIDE, 3), np.float32)
    other = 0.3 * target  # of another style too

    @jax.jit
    def every_way(target, other):
        half = (target + other) / 2
        path = jnp.stack([loss(image, target) for image in (other, half, target)])
        apart = jnp.stack([loss(*pair) for pair in zip(other, target, strict=True)])
        rounded = loss(*(image.astype(jnp.bfloat16) for image in (other, target)))
        return path, apart, rounded, jax.grad(loss)(target, target)

    path, apart, rounded, gradient = every_way(target, other)
    assert path[0] > path[1] > path[2]
    np.testing.assert_allclose(path[0], apart.mean(), rtol=1e-5)
    assert path.dtype == rounded.dtype == jnp.float32
    np.testing.assert_allclose(path[0], rounded, rtol=0.1)
    assert np.isfinite(gradient).all()


@each
def test_different_shapes_are_rejected(loss):
    image = np.zeros((1, SIDE, SIDE, 3), np.float32)
    with pytest.raises(ValueError, match="shape of prediction"):
        loss(image, image[:, :-1])
