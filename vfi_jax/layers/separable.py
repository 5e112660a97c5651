"""What SepConv and SepConv++ share: kernels of each pixel's own, their start, and filtering."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Image
from vfi_jax.layers.conv import Conv


def filtered(image: Image, vertical: Array, horizontal: Array) -> Image:
    """An image `[*B, H, W, C]`, its edges repeated, filtered by two 1-D kernels of every pixel.

    Args:
      image: any channels.
      vertical: `[*B, H, W, taps]`, taps odd.
      horizontal: like `vertical`.

    Raises:
      ValueError: the kernels have no middle.
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
      head: makes a module of that name from features to kernels; called inside the module it is of.
      features: of the pair of frames.
      number: of the frame, 1 or 2.
    """
    return tuple(head(name=f"{side}{number}")(features) for side in ("vertical", "horizontal"))


def kernel_conv(taps: int, dtype: Any, name: str) -> Conv:
    """The convolution that makes kernels. Fresh, they take a pixel as it is, so that training
    starts from the mean of the frames.

    From noise the kernels first have to learn to copy at all. How the authors started is not known.
    """
    zeros = nn.initializers.zeros
    return Conv(taps, dtype=dtype, kernel_init=zeros, bias_init=_averaging, name=name)


def _averaging(key, shape, dtype=jnp.float32):
    (taps,) = shape
    return jnp.sqrt(jnp.zeros(shape, dtype).at[taps // 2].set(0.5))
