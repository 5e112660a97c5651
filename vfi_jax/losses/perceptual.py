"""Distances between a network's activations for two images."""

from collections.abc import Callable, Mapping

import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array, Image
from vfi_jax.losses._difference import check_same_shape, difference

Features = Callable[[Image], dict[str, Array]]


def perceptual(
    prediction: Image,
    target: Image,
    features: Features,
    *,
    layer: str = "relu4_4",
) -> Array:
    """Mean squared distance of a network's activations.

    mean |features(prediction)[layer] - features(target)[layer]|^2

    Args:
      prediction: `[*B, H, W, 3]`, RGB in [0, 1], the input of `features`.
      target: the shape of `prediction`.
      features: function from an image to activations by name, such as `networks.vgg19.Model`
        applied to its variables.
      layer: name of the compared activations.

    Returns:
      Float32 scalar; 0 where both are equal.

    Raises:
      ValueError: the shapes differ, or `features` has no such layer.

    Source: Johnson et al. 2016 (arXiv:1603.08155); relu4_4 of VGG-19 as in Niklaus et al. 2017
    (arXiv:1708.01692), sec. 3.1.
    """
    ((seen, wanted),) = _activations(prediction, target, features, [layer])
    return jnp.square(difference(seen, wanted)).mean()


def perceptual_l1(
    prediction: Image, target: Image, features: Features, *, weights: Mapping[str, float]
) -> Array:
    """Mean absolute distance of a network's activations, over several layers.

    sum over layers of weight * mean |features(prediction)[layer] - features(target)[layer]|

    Args:
      prediction: `[*B, H, W, 3]`, RGB in [0, 1], the input of `features`.
      target: the shape of `prediction`.
      features: as in `perceptual`.
      weights: weight of each layer, by name.

    Returns:
      Float32 scalar; 0 where both are equal.

    Raises:
      ValueError: the shapes differ, or `features` has no such layer.

    Source: Chen and Koltun 2017 (arXiv:1707.09405); as in FILM's vgg19_loss.vgg_loss.
    """
    pairs = _activations(prediction, target, features, weights)
    return _weighed(weights, [jnp.abs(difference(*pair)).mean() for pair in pairs])


def style(
    prediction: Image, target: Image, features: Features, *, weights: Mapping[str, float]
) -> Array:
    """Style loss: distance of the Gram matrices of a network's activations.

    sum over layers of weight * mean |G(prediction) - G(target)|^2, where G is the Gram matrix
    F^T F / (h w) of a layer's activations F `[h w, C]`.

    Args:
      prediction: `[*B, H, W, 3]`, RGB in [0, 1], the input of `features`.
      target: the shape of `prediction`.
      features: as in `perceptual`.
      weights: weight of each layer, by name.

    Returns:
      Float32 scalar; 0 where both are equal.

    Raises:
      ValueError: the shapes differ, or `features` has no such layer.

    Source: Gatys et al. 2016; as in FILM's vgg19_loss.style_loss.
    """
    pairs = _activations(prediction, target, features, weights)
    return _weighed(weights, [jnp.square(difference(*map(_gram, pair))).mean() for pair in pairs])


def _activations(prediction, target, features, layers):
    """Activations of both images for each layer, in pairs."""
    check_same_shape(prediction=prediction, target=target)
    seen, wanted = features(prediction), features(target)
    for layer in layers:
        if layer not in seen:
            raise ValueError(f"layer must be one of {', '.join(seen)}, got {layer!r}")
    return [(seen[layer], wanted[layer]) for layer in layers]


def _weighed(weights, distances):
    return sum(map(jnp.multiply, weights.values(), distances), start=jnp.float32(0))


def _gram(activations):
    """`[*B, C, C]`."""
    *batch, height, width, channels = activations.shape
    rows = activations.reshape(*batch, height * width, channels).astype(jnp.float32)
    products = jnp.einsum("...nc,...nd->...cd", rows, rows, precision=lax.Precision.HIGHEST)
    return products / (height * width)
