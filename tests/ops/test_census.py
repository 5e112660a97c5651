import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vfi_jax import ops

census_transform = jax.jit(ops.census_transform, static_argnames="window")


def test_channels_are_in_row_major_order():
    image = jnp.zeros((5, 5, 1)).at[1, 3].set(0.5)
    out = census_transform(image, window=3, softness=0.5)
    sign = 0.5 / np.sqrt(0.5)
    np.testing.assert_allclose(out[2, 2], [0, 0, sign, 0, 0, 0, 0, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(out[1, 3], [-sign] * 4 + [0] + [-sign] * 4, rtol=1e-6)


def test_outside_counts_as_black():
    out = census_transform(jnp.full((4, 4, 1), 0.5), window=3, softness=0.5)
    assert (out[0, 0, :3] < -0.7).all()
    np.testing.assert_array_equal(out[1:3, 1:3], 0)


def test_brightness_has_little_effect():
    image = jax.random.uniform(jax.random.key(0), (12, 12, 3))
    plain, bright = (census_transform(image + shift)[3:-3, 3:-3] for shift in (0.0, 0.3))
    np.testing.assert_allclose(plain, bright, atol=1e-3)
    assert plain.shape == (6, 6, 49)


def test_colour_is_converted_to_luma():
    grey = census_transform(jnp.full((3, 3, 1), 0.587), window=3)
    green = census_transform(jnp.zeros((3, 3, 3)).at[..., 1].set(1.0), window=3)
    np.testing.assert_allclose(grey, green, rtol=1e-6)


def test_wrong_arguments_are_rejected():
    with pytest.raises(ValueError, match="3 channels"):
        ops.census_transform(jnp.zeros((4, 4, 2)))
    with pytest.raises(ValueError, match="odd and positive, got 4"):
        ops.census_transform(jnp.zeros((4, 4, 1)), window=4)
