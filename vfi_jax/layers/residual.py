"""Residual blocks of two 3x3 convolutions, single and in sequence."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax.arrays import Image
from vfi_jax.layers.conv import Conv, uniform_fan_in


class ResidualBlock(nn.Module):
    """x + conv1(relu(conv0(x))).

    Attributes:
      dilation: dilation of the first convolution.
      use_bias: use biases in both convolutions.
      last_relu: apply a ReLU to the sum.
      dtype: type of the convolutions.
      kernel_init: as in `Conv`.
      bias_init: as in `Conv`.
    """

    dilation: int = 1
    use_bias: bool = True
    last_relu: bool = False
    dtype: Any = jnp.float32
    kernel_init: Any = uniform_fan_in
    bias_init: Any = None

    @nn.compact
    def __call__(self, x: Image) -> Image:
        first = self._conv(x.shape[-1], self.dilation, "conv0")
        second = self._conv(x.shape[-1], 1, "conv1")
        out = x + second(nn.relu(first(x)))
        return nn.relu(out) if self.last_relu else out

    def _conv(self, features, dilation, name):
        return Conv(
            features,
            dilation=dilation,
            use_bias=self.use_bias,
            dtype=self.dtype,
            kernel_init=self.kernel_init,
            bias_init=self.bias_init,
            name=name,
        )


class ResidualBlocks(nn.Module):
    """A scan over `count` residual blocks.

    If unrolled, XLA fuses each block's sum into all later ones and keeps every convolution in
    memory.

    Attributes:
      count: number of blocks.
      use_bias: as in `ResidualBlock`.
      last_relu: as in `ResidualBlock`.
      dtype: type of the convolutions.
      kernel_init: as in `Conv`.
      bias_init: as in `Conv`.

    Parameters: those of a `ResidualBlock` under "block", with a first axis of length `count`.
    """

    count: int
    use_bias: bool = True
    last_relu: bool = False
    dtype: Any = jnp.float32
    kernel_init: Any = uniform_fan_in
    bias_init: Any = None

    @nn.compact
    def __call__(self, x: Image) -> Image:
        blocks = nn.scan(
            lambda block, x, _: (block(x), None),
            variable_axes={"params": 0},
            split_rngs={"params": True},
            length=self.count,
        )
        block = ResidualBlock(
            use_bias=self.use_bias,
            last_relu=self.last_relu,
            dtype=self.dtype,
            kernel_init=self.kernel_init,
            bias_init=self.bias_init,
            name="block",
        )
        return blocks(block, x, None)[0]


def correction(dtype: Any, name: str) -> Conv:
    """The last convolution, to a residual added to a frame; initialised to zero."""
    zeros = nn.initializers.zeros
    return Conv(3, dtype=dtype, kernel_init=zeros, bias_init=zeros, name=name)
