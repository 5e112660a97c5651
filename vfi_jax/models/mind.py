"""MIND: an interpolation network whose gradients match images (`vfi_jax.matching`)."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, ConvTranspose, PReLU, max_pool
from vfi_jax.layers.precision import precision
from vfi_jax.layers.system import system

SLOPE = 0.5  # initial slope of all PReLUs; the paper does not specify it
NOISE = 0.3  # scale of He's random kernels in `copying`


@dataclasses.dataclass(frozen=True)
class Config:
    """MIND.

    Attributes:
      widths: channels of the encoder's blocks, finest first; the decoder mirrors them.
      skips: encoder blocks, counted from 1, whose pooled output joins the decoder.
      dtype: type of the convolutions; parameters stay float32.
      precision: precision of the convolutions, see `layers.precision`.
    """

    widths: tuple[int, ...] = (96, 96, 128, 128, 128)
    skips: tuple[int, ...] = (2, 3, 4)
    dtype: Any = jnp.float32
    precision: str = "highest"


VARIANTS = {"small": Config(widths=(16, 32, 44), skips=(1, 2))}


class Model(nn.Module):
    """Learning image matching by simply watching video. Long et al., ECCV 2016 (arXiv:1603.06041).

    The authors' code is not public. Block counts, widths, 3x3 and 4x4 kernels, pooling and the
    three concatenations agree in two independent reimplementations. Less certain: PReLU with a
    slope per channel (from the paper), biases everywhere, the order of concatenation (encoder
    first), no output activation. This network has 4,736,099 parameters; a later paper lists 7.60
    million for MIND, so parts may be missing.
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
        x = jnp.concatenate([frames[:, 0], frames[:, 1]], axis=-1)
        levels = list(enumerate(config.widths, start=1))
        pooled = {}
        with precision(config.precision):
            for level, width in levels:
                x = Block(width, config.dtype, name=f"encoder{level}")(x)
                x = pooled[level] = max_pool(x)
            for level, width in reversed(levels):
                if level in config.skips:
                    x = jnp.concatenate([pooled[level], x], axis=-1)
                x = Block(width, config.dtype, grow=True, name=f"decoder{level}")(x)
            output = Conv(3, 1, dtype=config.dtype, kernel_init=copying, name="output")
            x = output(x)
        return {"frames": x.astype(jnp.float32)[:, None]}


class Block(nn.Module):
    """Three convolutions with PReLU; when growing, the first is transposed and doubles the size."""

    features: int
    dtype: Any
    grow: bool = False

    @nn.compact
    def __call__(self, x: Image) -> Image:
        for index in (1, 2, 3):
            layer = ConvTranspose if self.grow and index == 1 else Conv
            conv = layer(self.features, dtype=self.dtype, kernel_init=copying, name=f"conv{index}")
            x = PReLU(initial=SLOPE, name=f"prelu{index}")(conv(x))
        return x


def copying(key: Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Array:
    """Initialiser of kernels `HWIO` that copy: an orthogonal matrix at the centre plus noise.

    Interpolation mostly copies pixels. With PyTorch's or He's initialisation, a network of this
    depth needs thousands of steps to learn to copy.

    Source: Xiao et al. 2018 (arXiv:1806.05393), delta-orthogonal initialisation.
    """
    height, width, inputs, outputs = shape
    noise_key, matrix_key = jax.random.split(key)  # one key would correlate both
    noise = NOISE * nn.initializers.he_normal()(noise_key, shape, dtype)
    matrix = nn.initializers.orthogonal()(matrix_key, (inputs, outputs), dtype)
    # The centre of a transposed convolution is 2 x 2 taps, one per output pixel.
    rows, columns = (slice((n - 1) // 2, n // 2 + 1) for n in (height, width))
    return noise.at[rows, columns].add(matrix)
