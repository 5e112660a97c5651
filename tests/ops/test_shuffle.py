import jax.numpy as jnp
import numpy as np
import pytest

from vfi_jax import ops


def test_channels_become_blocks_in_pytorchs_order():
    x = jnp.arange(8.0).reshape(1, 1, 8)
    np.testing.assert_array_equal(ops.pixel_shuffle(x, 2)[..., 0], [[0, 1], [2, 3]])
    np.testing.assert_array_equal(ops.pixel_shuffle(x, 2)[..., 1], [[4, 5], [6, 7]])


def test_unshuffle_undoes_shuffle():
    x = jnp.arange(2 * 3 * 4 * 5 * 18).reshape(2, 3, 4, 5, 18)
    np.testing.assert_array_equal(ops.pixel_unshuffle(ops.pixel_shuffle(x, 3), 3), x)


def test_indivisible_sizes_are_rejected():
    with pytest.raises(ValueError, match=r"multiple of factor\^2 = 4 channels, got 6"):
        ops.pixel_shuffle(jnp.zeros((2, 2, 6)), 2)
    with pytest.raises(ValueError, match="multiples of 2, got 4 x 3"):
        ops.pixel_unshuffle(jnp.zeros((4, 3, 1)), 2)
