"""Census losses: distances between the census transforms of images or features."""

import jax.numpy as jnp
from jax import lax

from vfi_jax import ops
from vfi_jax.arrays import Array, Image
from vfi_jax.losses._difference import check_same_shape

SOFTNESS = 0.9  # of the comparison, in units of the images or features
EPS = 0.1  # squared differences well below it count in proportion


def census(
    prediction: Image,
    target: Image,
    *,
    window: int = 7,
    luma: bool = False,
    border: int | None = None,
) -> Array:
    """Soft Hamming distance of the census transforms of two images.

    mean over pixels and neighbours k of d^2 / (0.1 + d^2), d = census(prediction)_k -
    census(target)_k, with `ops.census_transform` of softness 0.9 on the mean over channels; 0 for
    pixels of the border. A constant brightness offset costs nothing, except where a window leaves
    the image, because outside counts as black.

    Args:
      prediction: `[*B, H, W, C]`.
      target: the shape of `prediction`; receives no gradient.
      window: side of the window, odd, in pixels.
      luma: use the luma of RGB instead of the mean over channels.
      border: width of the ignored border in pixels; None: all pixels whose window leaves the image.

    Returns:
      Float32 scalar in 0 .. 1; 0 where both are equal.

    Raises:
      ValueError: the shapes differ, or the images are smaller than the window.

    Source: Meister et al. 2018 (UnFlow); constants from Kong et al. 2022 (IFRNet); luma and a
    border of one pixel as in Jin et al. 2023 (UPR-Net).
    """
    check_same_shape(prediction=prediction, target=target)
    target = lax.stop_gradient(target)
    if not luma:
        prediction, target = _mean(prediction), _mean(target)
    return _distance(prediction, target, window, border)


def geometry(prediction: Image, target: Image, *, window: int = 3) -> Array:
    """Census distance of features, channel by channel, with gradients to both arguments.

    Args:
      prediction: `[*B, H, W, C]`.
      target: the shape of `prediction`.
      window: side of the window, odd, in pixels.

    Returns:
      Float32 scalar in 0 .. 1; 0 where both are equal.

    Raises:
      ValueError: the shapes differ, or the features are smaller than the window.

    Source: Kong et al. 2022 (IFRNet), sec. 3.3, "feature space geometry consistency".
    """
    check_same_shape(prediction=prediction, target=target)
    return _distance(_planes(prediction), _planes(target), window)


def _mean(image):
    """The mean of the colours, `[*B, H, W, 1]`."""
    return image.mean(-1, keepdims=True, dtype=jnp.float32)


def _planes(features):
    """Every channel as a separate image, `[*B, C, H, W, 1]`."""
    return jnp.moveaxis(features, -1, -3)[..., None]


def _distance(prediction, target, window, border=None):
    height, width = prediction.shape[-3:-1]
    if min(height, width) < window:
        raise ValueError(
            f"prediction must be at least the window's {window} pixels high and wide, "
            f"got {height}x{width}"
        )
    compared = [
        ops.census_transform(x.astype(jnp.float32), window=window, softness=SOFTNESS)
        for x in (prediction, target)
    ]
    square = jnp.square(compared[0] - compared[1])
    distance = (square / (EPS + square)).mean(-1)
    border = window // 2 if border is None else border
    inside = distance[..., border : height - border, border : width - border]
    return inside.sum() / distance.size
