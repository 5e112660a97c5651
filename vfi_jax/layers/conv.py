"""Convolutions with PyTorch's padding and initialisation; NHWC, kernels HWIO."""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Image
from vfi_jax.layers._convolve import DIMENSIONS as DIMENSIONS
from vfi_jax.layers._convolve import convolve, convolve_transposed


def uniform_fan_in(key: Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Array:
    """PyTorch's default for convolution kernels: U(-1/sqrt(fan_in), 1/sqrt(fan_in)), shape HWIO.

    Source: torch.nn.Conv2d (kaiming_uniform with a = sqrt(5)).
    """
    bound = 1 / math.sqrt(math.prod(shape[:-1]))
    return jax.random.uniform(key, shape, dtype, -bound, bound)


class Conv(nn.Module):
    """2-D convolution with PyTorch's symmetric padding.

    Attributes:
      features: output channels.
      kernel: height and width of the kernel, in pixels.
      stride: stride along both axes.
      padding: pixels on each side; None keeps the size at stride 1: dilation * (kernel // 2).
      dilation: dilation of the kernel.
      groups: number of channel groups convolved separately.
      use_bias: add a bias per channel.
      dtype: type of the computation; parameters stay float32.
      kernel_init: initialiser of the kernel; PyTorch's by default.
      bias_init: initialiser of the bias; None: PyTorch's default.

    Parameters: kernel `[kernel, kernel, in / groups, features]`, bias `[features]`.
    """

    features: int
    kernel: int = 3
    stride: int = 1
    padding: int | None = None
    dilation: int = 1
    groups: int = 1
    use_bias: bool = True
    dtype: Any = jnp.float32
    kernel_init: Any = uniform_fan_in
    bias_init: Any = None

    @nn.compact
    def __call__(self, x: Image) -> Image:
        shape = (self.kernel, self.kernel, x.shape[-1] // self.groups, self.features)
        kernel = self.param("kernel", self.kernel_init, shape)
        pad = self.dilation * (self.kernel // 2) if self.padding is None else self.padding
        x, kernel = x.astype(self.dtype), kernel.astype(self.dtype)
        parts = [jnp.split(array, self.groups, axis=-1) for array in (x, kernel)]
        out = jnp.concatenate(
            [
                convolve(*part, stride=self.stride, padding=pad, dilation=self.dilation)
                for part in zip(*parts, strict=True)
            ],
            axis=-1,
        )
        if self.use_bias:
            init = self.bias_init or _bias_init(shape)
            out += self.param("bias", init, (self.features,)).astype(self.dtype)
        return out


class ConvTranspose(nn.Module):
    """2-D transposed convolution with PyTorch's padding.

    Output height and width are stride * (size - 1) + kernel - 2 * padding.

    Attributes:
      features: output channels.
      kernel: height and width of the kernel, in pixels.
      stride: stride along both axes.
      padding: pixels cropped on each side.
      use_bias: add a bias per channel.
      dtype: type of the computation; parameters stay float32.
      kernel_init: initialiser of the kernel; None: PyTorch's default.
      bias_init: initialiser of the bias; None: PyTorch's default.

    Parameters: kernel `[kernel, kernel, in, features]`, correlated with the dilated input
    (PyTorch's rotated by 180 degrees), bias `[features]`.
    """

    features: int
    kernel: int = 4
    stride: int = 2
    padding: int = 1
    use_bias: bool = True
    dtype: Any = jnp.float32
    kernel_init: Any = None
    bias_init: Any = None

    @nn.compact
    def __call__(self, x: Image) -> Image:
        shape = (self.kernel, self.kernel, x.shape[-1], self.features)
        # PyTorch computes the fan-in of an [in, out, h, w] weight from its second axis.
        fan = (self.kernel, self.kernel, self.features, x.shape[-1])
        kernel = self.param("kernel", self.kernel_init or _transposed_init(fan), shape)
        x, kernel = x.astype(self.dtype), kernel.astype(self.dtype)
        out = convolve_transposed(x, kernel, stride=self.stride, padding=self.padding)
        if self.use_bias:
            init = self.bias_init or _bias_init(fan)
            out += self.param("bias", init, (self.features,)).astype(self.dtype)
        return out


class DepthwiseConv(nn.Module):
    """2-D depthwise convolution at stride 1 that keeps the size.

    Attributes:
      kernel: height and width of the kernel, odd, in pixels.
      dtype: type of the computation; parameters stay float32.
      kernel_init: initialiser of the kernel; PyTorch's by default.
      bias_init: initialiser of the bias; None: PyTorch's default.

    Parameters: kernel `[kernel, kernel, 1, channels]`, bias `[channels]`.
    """

    kernel: int = 3
    dtype: Any = jnp.float32
    kernel_init: Any = uniform_fan_in
    bias_init: Any = None

    @nn.compact
    def __call__(self, x: Image) -> Image:
        shape = (self.kernel, self.kernel, 1, x.shape[-1])
        kernel = self.param("kernel", self.kernel_init, shape).astype(self.dtype)
        bias = self.param("bias", self.bias_init or _bias_init(shape), shape[-1:])
        height, width = x.shape[-3:-1]
        reach = self.kernel // 2
        pads = [(0, 0)] * (x.ndim - 3) + [(reach, reach), (reach, reach), (0, 0)]
        x = jnp.pad(x.astype(self.dtype), pads)
        # Products of shifted images: XLA on a CPU is slow for convolutions with many groups.
        out = sum(
            x[..., row : row + height, column : column + width, :] * kernel[row, column, 0]
            for row in range(self.kernel)
            for column in range(self.kernel)
        )
        return out + bias.astype(self.dtype)


class PReLU(nn.Module):
    """max(x, 0) + slope * min(x, 0), with one learnt slope per channel.

    Attributes:
      initial: initial slope; PyTorch's by default.
      shared: one slope for all channels.

    Parameters: slope `[channels]`, or `[1]`.
    """

    initial: float = 0.25
    shared: bool = False

    @nn.compact
    def __call__(self, x: Image) -> Image:
        count = 1 if self.shared else x.shape[-1]
        slope = self.param("slope", nn.initializers.constant(self.initial), (count,))
        return jnp.where(x > 0, x, slope.astype(x.dtype) * x)


def leaky_relu(x: Image, *, slope: float = 0.1) -> Image:
    """max(x, slope * x); the default slope is common in flow networks. Gradient `slope` at 0."""
    return jnp.where(x > 0, x, slope * x)


def max_pool(x: Image) -> Image:
    """Maximum of 2x2 pixels at stride 2; an odd last row or column is dropped, as in PyTorch.

    Among equal pixels only the first receives the gradient, as in PyTorch; flat areas have such
    ties.
    """
    a, b, c, d = _quads(x)
    return _larger(_larger(a, b), _larger(c, d))


def average_pool(x: Image) -> Image:
    """Mean of 2x2 pixels at stride 2; an odd last row or column is dropped, as in PyTorch."""
    a, b, c, d = _quads(x)
    return (a + b + c + d) * 0.25


def upsample(x: Image, *, align_corners: bool = False) -> Image:
    """Bilinear upsampling to twice the height and width."""
    height, width = x.shape[-3:-1]
    return ops.resize_bilinear(x, (2 * height, 2 * width), align_corners=align_corners)


def repeat_pixels(x: Image) -> Image:
    """Nearest-neighbour upsampling to twice the height and width."""
    return x.repeat(2, axis=-3).repeat(2, axis=-2)


def _larger(a, b):
    # jnp.maximum splits the gradient at a tie. The second test propagates a NaN in b.
    return jnp.where((b > a) | (b != b), b, a)


def _quads(x):
    # On a CPU, slices are 3 times as fast as reduce_window, and their gradient is plain padding.
    height, width = x.shape[-3] // 2 * 2, x.shape[-2] // 2 * 2
    return (x[..., i:height:2, j:width:2, :] for i in (0, 1) for j in (0, 1))


def _bias_init(shape):
    bound = 1 / math.sqrt(math.prod(shape[:-1]))
    return lambda key, size: jax.random.uniform(key, size, jnp.float32, -bound, bound)


def _transposed_init(fan):
    return lambda key, shape: uniform_fan_in(key, fan).swapaxes(-1, -2)
