"""Distances between what a network sees in two images."""

from collections.abc import Callable

import jax.numpy as jnp

from vfi_jax.arrays import Array, Image
from vfi_jax.losses._difference import check_same_shape, difference


def perceptual(
    prediction: Image,
    target: Image,
    features: Callable[[Image], dict[str, Array]],
    *,
    layer: str = "relu4_4",
) -> Array:
    """Mean squared distance of a network's activations.

    mean |features(prediction)[layer] - features(target)[layer]|^2

    Args:
      prediction: `[B, H, W, 3]`, RGB in [0, 1].
      target: the shape of `prediction`.
      features: from an image to activations by name, such as `networks.vgg19.Model` applied to its
        variables.
      layer: whose activations are compared.

    Returns:
      Float32 scalar; 0 where both are equal.

    Raises:
      ValueError: the shapes differ, or `features` have no such layer.

    Source: Johnson et al. 2016 (arXiv:1603.08155); relu4_4 of VGG-19 as in Niklaus et al. 2017
    (arXiv:1708.01692), sec. 3.1.
    """
    check_same_shape(prediction=prediction, target=target)
    seen, wanted = features(prediction), features(target)
    if layer not in seen:
        raise ValueError(f"layer must be one of {', '.join(seen)}, got {layer!r}")
    return jnp.square(difference(seen[layer], wanted[layer])).mean()
