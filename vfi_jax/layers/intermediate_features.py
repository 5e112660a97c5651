"""Parts of IFRNet and related systems: a feature pyramid per frame, and decoders for time t."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax.arrays import Image
from vfi_jax.layers.conv import Conv, ConvTranspose, PReLU
from vfi_jax.layers.intermediate_flow import ConvPReLU


class Encoder(nn.Module):
    """Feature pyramid `[*B, h, w, C]` of images `[*B, H, W, 3]`, finest first.

    Attributes:
      widths: channels of each level; each halves the resolution.
      first_kernel: kernel size of the first convolution, in pixels.
      dtype: type of the convolutions.
    """

    widths: tuple[int, ...]
    first_kernel: int
    dtype: Any

    @nn.compact
    def __call__(self, images: Image) -> tuple[Image, ...]:
        x = images.reshape(-1, *images.shape[-3:])
        levels = []
        for level, width in enumerate(self.widths):
            kernel = 3 if level else self.first_kernel
            x = ConvPReLU(width, 2, self.dtype, kernel, name=f"level{level}_conv0")(x)
            x = ConvPReLU(width, 1, self.dtype, name=f"level{level}_conv1")(x)
            levels.append(x.reshape(*images.shape[:-3], *x.shape[1:]))
        return tuple(levels)


class Decoder(nn.Module):
    """Decodes a level's inputs to flows, features and more at twice the resolution, in float32.

    Attributes:
      width: hidden channels.
      side: channels of the residual block's side convolutions.
      features: output channels.
      dtype: type of the convolutions.
    """

    width: int
    side: int
    features: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        x = ConvPReLU(self.width, 1, self.dtype, name="stem")(x)
        inside = x
        for index in range(2):
            inside = ConvPReLU(self.width, 1, self.dtype, name=f"conv{index}")(inside)
            kept, side = jnp.split(inside, [self.width - self.side], axis=-1)
            side = ConvPReLU(self.side, 1, self.dtype, name=f"side{index}")(side)
            inside = jnp.concatenate([kept, side], axis=-1)
        inside = Conv(self.width, dtype=self.dtype, name="conv2")(inside)
        x = PReLU(name="prelu")(x + inside)
        return ConvTranspose(self.features, dtype=self.dtype, name="head")(x).astype(jnp.float32)
