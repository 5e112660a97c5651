"""Parts shared by SepConv and SepConv++: per-pixel kernels, their initialisation, filtering."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Image
from vfi_jax.layers.conv import Conv


def filtered(image: Image, vertical: Array, horizontal: Array) -> Image:
    """An edge-padded image `[*B, H, W, C]` filtered by two 1-D kernels per pixel.

    Args:
      image: any number of channels.
      vertical: `[*B, H, W, taps]`, taps odd.
      horizontal: like `vertical`.

    Raises:
      ValueError: the number of taps is even.
    """
    taps = vertical.shape[-1]
    if taps % 2 == 0:
        raise ValueError(f"taps must be odd, got {taps}")
    reach = taps // 2
    widths = [(0, 0)] * (image.ndim - 3) + [(reach, reach), (reach, reach), (0, 0)]
    return ops.adaptive_separable_conv(jnp.pad(image, widths, mode="edge"), vertical, horizontal)


def kernels(head: Callable[..., nn.Module], features: Image, number: int) -> tuple[Array, ...]:
    """A frame's vertical and horizontal kernels, `[B, H, W, taps]` each.

    Args:
      head: creates the module of a given name that maps features to kernels; called inside its
        parent module.
      features: features of the pair of frames.
      number: number of the frame, 1 or 2.
    """
    return tuple(head(name=f"{side}{number}")(features) for side in ("vertical", "horizontal"))


def kernel_conv(taps: int, dtype: Any, name: str) -> Conv:
    """Convolution that predicts kernels; training starts from the mean of the frames.

    Initially each kernel copies its pixel; from random kernels, training must first learn to copy.
    The authors' initialisation is unknown.
    """
    zeros = nn.initializers.zeros
    return Conv(taps, dtype=dtype, kernel_init=zeros, bias_init=_averaging, name=name)


def _averaging(key, shape, dtype=jnp.float32):
    (taps,) = shape
    return jnp.sqrt(jnp.zeros(shape, dtype).at[taps // 2].set(0.5))
