import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vfi_jax import ops

KERNEL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256

gaussian_pyramid = jax.jit(ops.gaussian_pyramid, static_argnames="levels")
laplacian_pyramid = jax.jit(ops.laplacian_pyramid, static_argnames="levels")
reconstruct_laplacian = jax.jit(ops.reconstruct_laplacian)


@pytest.mark.parametrize("size", [(16, 12), (13, 9), (3, 4)])
def test_a_band_is_the_image_minus_its_upsampled_half(size):
    image = np.random.default_rng(0).standard_normal((*size, 2)).astype(np.float32)
    half = _blur(image, KERNEL)[::2, ::2]
    spread = np.zeros_like(image)
    spread[::2, ::2] = half
    band, rest = laplacian_pyramid(jnp.asarray(image), levels=1)
    np.testing.assert_allclose(rest, half, atol=1e-6)
    np.testing.assert_allclose(band, image - _blur(spread, 4 * KERNEL), atol=1e-6)
    np.testing.assert_allclose(gaussian_pyramid(jnp.asarray(image), levels=2)[1], half, atol=1e-6)


@pytest.mark.parametrize("size", [(64, 64), (49, 66)])
def test_reconstruction_is_exact(size):
    image = np.random.default_rng(0).random((2, *size, 3), np.float32)
    pyramid = laplacian_pyramid(jnp.asarray(image))
    assert len(pyramid) == 6
    np.testing.assert_allclose(reconstruct_laplacian(pyramid), image, atol=1e-6)


def test_a_constant_is_all_low_pass():
    *bands, rest = laplacian_pyramid(jnp.full((32, 32, 1), 0.5), levels=3)
    np.testing.assert_allclose(rest, 0.5)
    for band in bands:
        np.testing.assert_allclose(band, 0, atol=1e-7)


def test_too_small_images_are_rejected():
    with pytest.raises(ValueError, match="sides of 3 pixels"):
        ops.laplacian_pyramid(jnp.zeros((32, 32, 1)), levels=6)
    with pytest.raises(ValueError, match=r"pyramid must be \(2, 2, 1\) to fit"):
        ops.reconstruct_laplacian((jnp.zeros((4, 4, 1)), jnp.zeros((4, 4, 1))))


def _blur(image, kernel):
    height, width = image.shape[:2]
    padded = np.pad(image, ((2, 2), (2, 2), (0, 0)), "reflect")
    return sum(
        kernel[i, j] * padded[i : i + height, j : j + width] for i in range(5) for j in range(5)
    )
