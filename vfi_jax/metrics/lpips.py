"""LPIPS: perceptual distance learnt from human similarity judgements."""

from collections.abc import Callable, Mapping

import jax.numpy as jnp

from vfi_jax.arrays import Array, Image
from vfi_jax.metrics import _check

EPS = 1e-10  # added to the square root, as in the training of the published weights


def lpips(
    image: Image,
    reference: Image,
    features: Callable[[Image], Mapping[str, Array]],
    heads: Mapping[str, Array],
) -> Array:
    """Weighted distance between a network's normalised activations for two images.

    sum over layers of mean over pixels of sum_c heads[layer][c] (a_c / |a| - b_c / |b|)^2

    Args:
      image: `[*B, H, W, 3]`, RGB in [0, 1].
      reference: the same shape.
      features: function from images `[B, H, W, 3]` to activations `[B, h, w, C]` by layer: an image
        classifier, such as `networks.alexnet.Model` ("alex" in tables) applied to its variables.
      heads: weights `[C]` of each layer, as returned by `networks.lpips.Model`.

    Returns:
      float32 `[*B]`; 0 where both are equal.

    Raises:
      ValueError: the shapes differ, or `features` lacks a layer of `heads`.

    Source: Zhang et al. 2018 (arXiv:1801.03924), eq. 1; version 0.1 of the authors' weights.
    """
    image, reference = _check.pair(image, reference)
    leading = image.shape[:-3]
    seen = [features(one.reshape(-1, *one.shape[-3:])) for one in (image, reference)]
    if missing := [layer for layer in heads if layer not in seen[0]]:
        raise ValueError(f"features must give {', '.join(missing)}, got {', '.join(seen[0])}")
    distance = sum(
        (jnp.square(_unit(seen[0][layer]) - _unit(seen[1][layer])) * weights)
        .sum(axis=-1)
        .mean(axis=(-2, -1))
        for layer, weights in heads.items()
    )
    return jnp.reshape(distance, leading)


def _unit(features):
    square = jnp.square(features.astype(jnp.float32)).sum(axis=-1, keepdims=True)
    # The gradient of the square root would be infinite where all activations are 0.
    length = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), 0)
    return features / (length + EPS)
