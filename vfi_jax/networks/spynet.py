"""SPyNet: optical flow refined from coarse to fine over an image pyramid."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Flow, Image
from vfi_jax.layers.conv import Conv, average_pool
from vfi_jax.layers.precision import precision

MEAN = (0.485, 0.456, 0.406)  # RGB of ImageNet
DEVIATION = (0.229, 0.224, 0.225)
COARSEST = 32  # pixels; the pyramid ends when neither side is longer
KERNEL = 7  # pixels (Ranjan and Black 2017, sec. 3.4)


@dataclasses.dataclass(frozen=True)
class Config:
    """SPyNet.

    Attributes:
      levels: maximum number of pyramid levels; small frames use fewer.
      widths: channels of a level's hidden layers.
      padding: padding of the warp: "border" as in the authors' run.py; "zeros" as in MEMC-Net's
        copy.
      dtype: type of the convolutions; parameters and flows stay float32.
      precision: precision of the convolutions, see `layers.precision`.
    """

    levels: int = 6
    widths: tuple[int, ...] = (32, 64, 32, 16)
    padding: str = "border"
    dtype: Any = jnp.float32
    precision: str = "highest"


VARIANTS = {"small": Config(levels=4, widths=(8, 16, 8, 8))}


class Model(nn.Module):
    """SPyNet. Ranjan and Black, CVPR 2017 (arXiv:1611.00850)."""

    config: Config = Config()

    @property
    def multiple(self) -> int:
        """Height and width must be multiples of it."""
        return 2 ** (self.config.levels - 1)

    @property
    def example_inputs(self) -> dict[str, jax.ShapeDtypeStruct]:
        frame = jax.ShapeDtypeStruct((1, self.multiple, self.multiple, 3), jnp.float32)
        return {"frame0": frame, "frame1": frame}

    @nn.compact
    def __call__(self, frame0: Image, frame1: Image) -> dict:
        """Flow from frame 0 to frame 1.

        Args:
          frame0: `[B, H, W, 3]` RGB in [0, 1].
          frame1: like `frame0`.

        Returns:
          "flow": `[B, H, W, 2]` float32 pixels; "flows": the flows of all levels in use, finest
            first, each in pixels of its own resolution, for losses.
        """
        config = self.config
        pyramid0, pyramid1 = self._pyramid(frame0), self._pyramid(frame1)
        flow = jnp.zeros((*pyramid0[-1].shape[:-1], 2), jnp.float32)
        flows = []
        with precision(config.precision):
            # Level 0 is the coarsest level in use for any frame size.
            for level in range(config.levels):
                refine = Refine(config, name=f"level{level}")
                if level < len(pyramid0):
                    first, second = pyramid0[-1 - level], pyramid1[-1 - level]
                    if level > 0:
                        flow = ops.resize_flow(flow, first.shape[-3:-1], align_corners=True)
                    flow = refine(first, second, flow)
                    flows.append(flow)
                elif self.is_initializing():
                    refine(pyramid0[0], pyramid1[0], jnp.zeros((*frame0.shape[:-1], 2)))
        return {"flow": flow, "flows": tuple(flows[::-1])}

    def _pyramid(self, frame):
        """The normalised frame at every resolution, finest first."""
        levels = [(frame - jnp.asarray(MEAN)) / jnp.asarray(DEVIATION)]
        while len(levels) < self.config.levels and max(levels[-1].shape[-3:-1]) > COARSEST:
            levels.append(average_pool(levels[-1]))
        return levels


class Refine(nn.Module):
    """The flow of one level from the coarser one's."""

    config: Config

    @nn.compact
    def __call__(self, first: Image, second: Image, flow: Flow) -> Flow:
        dtype = self.config.dtype
        warped = ops.backward_warp(second, flow, padding=self.config.padding)
        x = jnp.concatenate([first, warped, flow], axis=-1)
        for index, width in enumerate(self.config.widths):
            x = nn.relu(Conv(width, KERNEL, dtype=dtype, name=f"conv{index}")(x))
        last = Conv(2, KERNEL, dtype=dtype, name=f"conv{len(self.config.widths)}")(x)
        return flow + last.astype(jnp.float32)
