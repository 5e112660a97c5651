"""FlowNetS: optical flow from an encoder-decoder on both frames concatenated."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from vfi_jax.arrays import Image
from vfi_jax.layers.conv import Conv, ConvTranspose, leaky_relu
from vfi_jax.layers.precision import precision

FLOW_SCALE = 20.0  # flows are regressed in full-resolution pixels / 20 (Fischer et al. 2015)
FINEST = 2  # level of the finest flow, a quarter of the resolution (ibid.)
ENCODER = (  # level: (convolutions' name, channels in widths, kernel) (ibid., fig. 2)
    (("conv1", 1, 7),),
    (("conv2", 2, 5),),
    (("conv3", 4, 5), ("conv3_1", 4, 3)),
    (("conv4", 8, 3), ("conv4_1", 8, 3)),
    (("conv5", 8, 3), ("conv5_1", 8, 3)),
    (("conv6", 16, 3), ("conv6_1", 16, 3)),
)
DECODER = {5: 8, 4: 4, 3: 2, 2: 1}  # level: channels in widths (ibid., fig. 3)


@dataclasses.dataclass(frozen=True)
class Config:
    """FlowNetS.

    Attributes:
      width: channels of the first convolution; every other count is a multiple of it.
      dtype: type of the convolutions; parameters and flows stay float32.
      precision: precision of the convolutions, see `layers.precision`.
    """

    width: int = 64
    dtype: Any = jnp.float32
    precision: str = "highest"


VARIANTS = {"small": Config(width=4)}


class Model(nn.Module):
    """FlowNetSimple, without batch normalisation. Fischer et al., ICCV 2015 (arXiv:1504.06852)."""

    config: Config = Config()

    @property
    def multiple(self) -> int:
        """Height and width must be multiples of it."""
        return 2 ** len(ENCODER)

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
          "flow": `[B, H/4, W/4, 2]` float32, in pixels of its own resolution; "flows": those of all
          levels, finest first, for losses.
        """
        with precision(self.config.precision):
            features = self._encode(jnp.concatenate([frame0, frame1], axis=-1))
            flows = self._decode(features)
        pixels = [flow * FLOW_SCALE / 2**level for level, flow in flows.items()]
        return {"flow": pixels[-1], "flows": tuple(pixels[::-1])}

    def _encode(self, x):
        """The features of every level, finest first."""
        config = self.config
        levels = []
        for convs in ENCODER:
            for index, (name, width, kernel) in enumerate(convs):
                stride = 2 if index == 0 else 1
                conv = Conv(width * config.width, kernel, stride, dtype=config.dtype, name=name)
                x = leaky_relu(conv(x))
            levels.append(x)
        return levels

    def _decode(self, features):
        """The flow of every level, coarsest first, in the network's units."""
        config = self.config
        x = features[-1]
        level = len(features)
        flows = {level: _predict(x, level)}
        for level, width in DECODER.items():
            up = ConvTranspose(width * config.width, dtype=config.dtype, name=f"up{level}")(x)
            up_flow = ConvTranspose(2, use_bias=False, name=f"up_flow{level}")(flows[level + 1])
            parts = (features[level - 1], leaky_relu(up), up_flow.astype(config.dtype))
            x = jnp.concatenate(parts, axis=-1)
            flows[level] = _predict(x, level)
        return flows


def _predict(x: Image, level: int) -> Image:
    return Conv(2, use_bias=False, name=f"flow{level}")(x.astype(jnp.float32))
