"""Pallas kernels: interpreted against the XLA form here, lowered for the platforms they name."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vfi_jax import lookup, ops
from vfi_jax.ops import kernels

NAMES = lookup.modules(kernels.__name__)


def _arrays(taps=5, channels=3):
    keys = jax.random.split(jax.random.key(0), 4)
    size = 7, 70  # neither rows nor columns fill their last tile
    padded = tuple(side + taps - 1 for side in size)
    image = jax.random.normal(keys[0], (*padded, channels))
    vertical, horizontal = jax.random.normal(keys[1], (2, *size, taps))
    return image, vertical, horizontal, jax.random.normal(keys[2], (*size, channels))


def _with_gradients(*arrays):
    *inputs, cotangent = arrays
    out, pullback = jax.vjp(ops.adaptive_separable_conv, *inputs)
    return out, *pullback(cotangent)


def test_interpreted_separable_conv_and_its_gradients():
    arrays = _arrays()
    desired = jax.jit(_with_gradients)(*arrays)
    with ops.backend("pallas"):
        actual = jax.jit(_with_gradients)(*arrays)
    for here, there in zip(actual, desired, strict=True):
        np.testing.assert_allclose(here, there, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_lowers_for_the_platforms_it_names(name):
    module = importlib.import_module(f"{kernels.__name__}.{name}")
    assert set(module.DEFAULT_ON) <= set(module.PLATFORMS)
    with ops.backend("pallas"):
        traced = jax.jit(_with_gradients).trace(*_arrays(51))
    for platform in module.PLATFORMS:
        text = traced.lower(lowering_platforms=(platform,)).as_text()
        assert "triton" in text


@pytest.mark.parametrize(
    ("taps", "channels", "message"),
    [(65, 3, "up to 64 taps, got 65"), (5, 5, "up to 4 channels, got 5")],
)
def test_declines_what_it_cannot_do(taps, channels, message):
    kernel = jnp.zeros((2, 3, taps))
    image = jnp.zeros((taps + 1, taps + 2, channels))
    with ops.backend("pallas"), pytest.raises(NotImplementedError, match=message):
        jax.eval_shape(ops.adaptive_separable_conv, image, kernel, kernel)


def test_half_precision_images_come_back_in_their_type():
    image, vertical, horizontal, _ = _arrays()
    with ops.backend("pallas"):
        out = jax.jit(ops.adaptive_separable_conv)(image.astype(jnp.bfloat16), vertical, horizontal)
    assert out.dtype == jnp.bfloat16
