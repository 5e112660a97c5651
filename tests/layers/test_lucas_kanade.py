"""Displacement in closed form, on textures whose displacement is known."""

import jax
import numpy as np

from vfi_jax.layers.lucas_kanade import displacement

SIZE = 48


def _texture(right, down, contrast=1.0):
    """`[1, SIZE, SIZE, 3]`: waves, moved by so many pixels."""
    y, x = np.mgrid[:SIZE, :SIZE] - np.array([down, right])[:, None, None]
    waves = [np.sin(0.5 * x + 0.2 * y), np.sin(0.4 * y - 0.3 * x), np.cos(0.6 * y + 0.1 * x)]
    return (0.5 + contrast * 0.4 * np.stack(waves, axis=-1))[None].astype(np.float32)


def _inside(flow):
    return np.asarray(flow)[0, 4:-4, 4:-4]


def test_the_displacement_is_found():
    found = jax.jit(displacement)(_texture(-0.2, 0.1), _texture(0.2, -0.1))
    np.testing.assert_allclose(_inside(found).mean(axis=(0, 1)), [0.4, -0.2], atol=0.03)
    assert _inside(found).std(axis=(0, 1)).max() < 0.03


def test_it_is_antisymmetric_bounded_and_zero_without_texture():
    call = jax.jit(displacement)
    first, second = _texture(0, 0), _texture(3.0, 0)
    there, back = call(first, second), call(second, first)
    np.testing.assert_allclose(there, -back, atol=1e-5)
    assert np.abs(there).max() <= 1
    faint = call(_texture(0, 0, 1e-4), _texture(0.5, 0, 1e-4))
    assert np.abs(faint).max() < 1e-3
    assert not np.asarray(call(np.ones_like(first), np.ones_like(first))).any()
