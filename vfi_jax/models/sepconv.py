"""SepConv: two 1-D kernels per pixel and frame, predicted by one encoder-decoder."""

import dataclasses
import functools
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, average_pool, upsample
from vfi_jax.layers.precision import precision
from vfi_jax.layers.separable import filtered, kernel_conv, kernels
from vfi_jax.layers.system import system


@dataclasses.dataclass(frozen=True)
class Config:
    """SepConv.

    Attributes:
      taps: length of each 1-D kernel, in pixels; odd.
      widths: channels of the encoder's blocks, finest first; each halves the resolution.
      dtype: type of the convolutions; parameters, kernels and frames stay float32.
      precision: precision of the convolutions, see `layers.precision`.
    """

    taps: int = 51
    widths: tuple[int, ...] = (32, 64, 128, 256, 512)
    dtype: Any = jnp.float32
    precision: str = "highest"


VARIANTS = {
    "l1": Config(),  # trained with the L1 loss: higher PSNR
    "lf": Config(),  # fine-tuned with the VGG loss: sharper frames
    "small": Config(taps=13, widths=(16, 24, 32, 36, 36)),
}


class Model(nn.Module):
    """Adaptive separable convolution. Niklaus et al., ICCV 2017 (arXiv:1708.01692).

    frame_t = conv(frame0, vertical1, horizontal1) + conv(frame1, vertical2, horizontal2), with
    kernels per output pixel, neither normalised nor constrained. The output contains these pairs as
    "kernels1" and "kernels2".
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        return Contract(frames=2, times=(0.5,), multiple=2 ** len(self.config.widths))

    @system
    @nn.compact
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        config = self.config
        frame0, frame1 = frames[:, 0], frames[:, 1]
        with precision(config.precision):
            features = self._features(frame0, frame1)
            head = functools.partial(Head, config.widths[1], config.taps, config.dtype)
            kernels1, kernels2 = kernels(head, features, 1), kernels(head, features, 2)
            frame_t = filtered(frame0, *kernels1) + filtered(frame1, *kernels2)
        return {"frames": frame_t[:, None], "kernels1": kernels1, "kernels2": kernels2}

    def _features(self, frame0, frame1):
        """The encoder-decoder: `[B, H/2, W/2, widths[1]]` from two frames."""
        config = self.config
        depth = len(config.widths)
        # The published weights expect BGR.
        x = jnp.concatenate([frame0[..., ::-1], frame1[..., ::-1]], axis=-1)
        skips = {}
        for level, width in enumerate(config.widths, start=1):
            x = skips[level] = Block(width, config.dtype, name=f"conv{level}")(x)
            x = average_pool(x)
        for level in range(depth, 1, -1):
            width = config.widths[level - 1]
            x = Block(width, config.dtype, name=f"deconv{level}")(x)
            x = Upsample(width, config.dtype, name=f"upsample{level}")(x) + skips[level]
        return x


class Block(nn.Module):
    """Three 3x3 convolutions, each with a ReLU."""

    features: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        for index in range(3):
            x = nn.relu(Conv(self.features, dtype=self.dtype, name=f"conv{index}")(x))
        return x


class Upsample(nn.Module):
    """Bilinear upsampling by 2, then a 3x3 convolution with ReLU."""

    features: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        return nn.relu(
            Conv(self.features, dtype=self.dtype, name="conv0")(upsample(x, align_corners=True))
        )


class Head(nn.Module):
    """The 1-D kernels of every pixel, float32 `[B, H, W, taps]`, from half-resolution features."""

    features: int
    taps: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Array:
        for index, width in enumerate((self.features, self.features, self.taps)):
            x = nn.relu(Conv(width, dtype=self.dtype, name=f"conv{index}")(x))
        last = kernel_conv(self.taps, self.dtype, "conv3")
        return last(upsample(x, align_corners=True)).astype(jnp.float32)
