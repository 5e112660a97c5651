"""MegaDepth's hourglass: depth up to scale from a single frame."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from vfi_jax.arrays import Image
from vfi_jax.layers.conv import Conv, average_pool, max_pool, repeat_pixels
from vfi_jax.layers.norm import BatchNorm
from vfi_jax.layers.precision import precision


@dataclasses.dataclass(frozen=True)
class Config:
    """MegaDepth's hourglass.

    Attributes:
      width: channels of its narrowest branches; every other count is a multiple of it.
      norm: use batch normalisation, as the authors do. With frozen statistics it is a constant
        scale and shift, which a convolution can represent anyway.
      axis_name: mapped axis whose devices share batch statistics (pmap).
      dtype: type of the convolutions; parameters and statistics stay float32.
      precision: precision of the convolutions, see `layers.precision`.
    """

    width: int = 16
    norm: bool = True
    axis_name: str | None = None
    dtype: Any = jnp.float32
    precision: str = "highest"


VARIANTS = {"small": Config(width=2, norm=False)}


class Block(NamedTuple):
    """An inception block: a 1x1 branch and three branches of a 1x1 and a wide convolution.

    Attributes:
      features: channels of each branch, in widths; the block has four times as many.
      middle: channels between the two convolutions, in widths.
      kernels: sizes of the wide convolutions, in pixels.
    """

    features: int
    middle: int = 2
    kernels: tuple[int, int, int] = (3, 5, 7)


class Scale(NamedTuple):
    """One scale of the hourglass: a deep branch at half the resolution and a skip branch, added.

    Attributes:
      pool: downsampling of the deep branch.
      down: blocks of the deep branch before the next coarser scale.
      up: blocks after it.
      skip: blocks of the skip branch.
    """

    pool: Callable[[Image], Image]
    down: tuple[Block, ...]
    up: tuple[Block, ...]
    skip: tuple[Block, ...]


WIDER = (3, 7, 11)
SCALES = (  # finest first (Chen et al. 2016, fig. 3 and table 1, as released)
    Scale(max_pool, (Block(2), Block(2)), (Block(2, 4), Block(1, 2, WIDER)), (Block(1, 4, WIDER),)),
    Scale(max_pool, (Block(2), Block(4)), (Block(4), Block(2)), (Block(2), Block(2, 4, WIDER))),
    Scale(
        average_pool,
        (Block(4), Block(4)),
        (Block(4), Block(4, 4, WIDER)),
        (Block(4), Block(4, 4, WIDER)),
    ),
    Scale(average_pool, (Block(4), Block(4), Block(4)), (), (Block(4), Block(4))),
)


class Model(nn.Module):
    """MegaDepth. Li and Snavely, CVPR 2018 (arXiv:1804.00607).

    The network is the hourglass of Chen et al., NIPS 2016 (arXiv:1604.03901).
    """

    config: Config = Config()

    @property
    def multiple(self) -> int:
        """Height and width must be multiples of it."""
        return 2 ** len(SCALES)

    @property
    def example_inputs(self) -> dict[str, jax.ShapeDtypeStruct]:
        return {"frame": jax.ShapeDtypeStruct((1, self.multiple, self.multiple, 3), jnp.float32)}

    @nn.compact
    def __call__(self, frame: Image, *, train: bool = False) -> dict:
        """Depth of a frame.

        Args:
          frame: `[B, H, W, 3]` RGB in [0, 1].
          train: normalise by the batch's statistics and update the running ones.

        Returns:
          "log_depth": `[B, H, W, 1]` float32, natural logarithm of the depth, which is defined up
            to a factor.
        """
        config = self.config
        with precision(config.precision):
            unit = Unit(8 * config.width, 7, config, affine=True, name="stem")
            x = unit(frame, train)
            x = Hourglass(SCALES, config, name="hourglass")(x, train)
            # Initialised to constant depth: with random depth, DAIN's weights 1 / depth differed by
            # factors of thousands and diverged.
            zeros = nn.initializers.zeros
            head = Conv(1, dtype=config.dtype, kernel_init=zeros, bias_init=zeros, name="head")
            log_depth = head(x)
        return {"log_depth": log_depth.astype(jnp.float32)}


class Hourglass(nn.Module):
    """This scale and all coarser ones."""

    scales: tuple[Scale, ...]
    config: Config

    @nn.compact
    def __call__(self, x: Image, train: bool) -> Image:
        scale, *inner = self.scales
        # Blocks are numbered by their position in the branch, as in the released files.
        deep = scale.pool(x)
        for place, block in enumerate(scale.down, start=1):
            deep = Inception(block, self.config, name=f"deep{place}")(deep, train)
        if inner:
            deep = Hourglass(tuple(inner), self.config, name="inner")(deep, train)
        for place, block in enumerate(scale.up, start=len(scale.down) + 2):
            deep = Inception(block, self.config, name=f"deep{place}")(deep, train)
        for place, block in enumerate(scale.skip):
            x = Inception(block, self.config, name=f"skip{place}")(x, train)
        return x + repeat_pixels(deep)


class Inception(nn.Module):
    """Four parallel branches."""

    block: Block
    config: Config

    @nn.compact
    def __call__(self, x: Image, train: bool) -> Image:
        features, middle = (n * self.config.width for n in self.block[:2])
        branches = [Unit(features, 1, self.config, name="branch0_unit0")(x, train)]
        for number, kernel in enumerate(self.block.kernels, start=1):
            y = Unit(middle, 1, self.config, name=f"branch{number}_unit0")(x, train)
            y = Unit(features, kernel, self.config, name=f"branch{number}_unit1")(y, train)
            branches.append(y)
        return jnp.concatenate(branches, axis=-1)


class Unit(nn.Module):
    """Convolution, optional batch normalisation, ReLU."""

    features: int
    kernel: int
    config: Config
    affine: bool = False

    @nn.compact
    def __call__(self, x: Image, train: bool) -> Image:
        x = Conv(self.features, self.kernel, dtype=self.config.dtype, name="conv")(x)
        if self.config.norm:
            norm = BatchNorm(affine=self.affine, axis_name=self.config.axis_name, name="norm")
            x = norm(x, train=train)
        return nn.relu(x)
