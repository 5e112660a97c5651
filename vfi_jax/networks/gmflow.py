"""GMFlow: optical flow by global matching of transformer features."""

import dataclasses
import functools
import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from vfi_jax import ops
from vfi_jax.arrays import Array, Flow, Image
from vfi_jax.layers.conv import Conv
from vfi_jax.layers.norm import instance_norm
from vfi_jax.layers.precision import precision
from vfi_jax.layers.window_transformer import (
    Projection,
    TransformerBlock,
    attend_to_all,
    sine_position,
)

MEAN = (0.485, 0.456, 0.406)  # RGB of ImageNet
DEVIATION = (0.229, 0.224, 0.225)
COARSE, FINE = 2, 8  # windows along an axis, at 1/8 and at 1/4 (Xu et al. 2022, sec. 3.4)
EXPANSION = 4  # of the transformer's feed-forward networks
MATCHED = 4  # pixels of 1/4: reach of the local matching
SPREAD = 1  # pixels of 1/4: reach of the local propagation
UP = 4  # scale from the finest features to the frames
EXACT = lax.Precision.HIGHEST  # for products from which flows are computed
OUTSIDE = -1e9  # score of a position outside the image (the authors' code)

# Initialisation of the authors' code (He et al. 2015).
HiddenConv = functools.partial(
    Conv, use_bias=False, kernel_init=nn.initializers.variance_scaling(2.0, "fan_out", "normal")
)


@dataclasses.dataclass(frozen=True)
class Config:
    """GMFlow with refinement, two scales.

    Attributes:
      widths: channels of the residual blocks, at 1/2, 1/4 and 1/4.
      features: channels of the matched features.
      blocks: number of transformer blocks; every second one shifts its windows.
      upsampler: hidden channels of the convex upsampling.
      dtype: type of convolutions and projections; parameters, scores and flows stay float32.
      precision: precision of convolutions and projections, see `layers.precision`.
    """

    widths: tuple[int, int, int] = (64, 96, 128)
    features: int = 128
    blocks: int = 6
    upsampler: int = 256
    dtype: Any = jnp.float32
    precision: str = "highest"


VARIANTS: dict[str, Config] = {}


class Model(nn.Module):
    """GMFlow. Xu et al., CVPR 2022 (arXiv:2111.13680), with its refinement at 1/4.

    The version used by GMFSS (98mxr/GMFSS_Fortuna model/gmflow). It differs from the paper in two
    points, as in the authors' code and weights: the key of the global propagation is projected from
    the query instead of the features, and in the local propagation neighbours outside the image
    have score 0 and flow 0.
    """

    config: Config = Config()

    @property
    def multiple(self) -> int:
        """Height and width must be multiples of it."""
        return 4 * FINE

    @property
    def example_inputs(self) -> dict[str, jax.ShapeDtypeStruct]:
        frame = jax.ShapeDtypeStruct((1, self.multiple, self.multiple, 3), jnp.float32)
        return {"frame0": frame, "frame1": frame}

    @nn.compact
    def __call__(self, frame0: Image, frame1: Image, *, both: bool = False) -> dict:
        """Flow from frame 0 to frame 1.

        Args:
          frame0: `[B, H, W, 3]` RGB in [0, 1].
          frame1: like `frame0`.
          both: also estimate the backward flow, which shares the coarse scale except for the
            matching.

        Returns:
          "flow": `[B, H, W, 2]` float32 pixels; "flows": the flows at full, 1/4 and 1/8 resolution,
            each in pixels of its own resolution, for losses. `both` doubles the batch: all flows
            from frame 0 to 1, then all from 1 to 0.
        """
        config = self.config
        ways = (2 if both else 1) * len(frame0)
        with precision(config.precision):
            fine = Backbone(config, name="backbone")(jnp.concatenate([frame0, frame1]))
            # A convolution at stride 2 equals every second position of the one at stride 1.
            coarse = fine[:, ::2, ::2]
            transformer = Transformer(config, name="transformer")
            spread = Propagation(config, name="propagation")
            first, second = _ways(transformer(coarse, windows=COARSE), ways)
            flow = _matched(first, second)
            self.sow("intermediates", "matched", flow)
            flows = [spread(first, flow, everywhere=True)]

            first, second = _ways(fine, ways)
            height, width = first.shape[1:3]
            flow = ops.resize_flow(flows[-1], (height, width), align_corners=True)
            second = ops.backward_warp(second, flow)
            seen = transformer(jnp.concatenate([first, second]), windows=FINE)
            first, second = jnp.split(seen, 2)
            flow += _matched_nearby(first, second)
            self.sow("intermediates", "matched", flow)
            flows.append(spread(first, flow, everywhere=False))
            flows.append(Upsampler(config, name="upsampler")(first, flows[-1]))
        return {"flow": flows[-1], "flows": tuple(flows[::-1])}


class Backbone(nn.Module):
    """Features of each frame at 1/4 resolution, float32."""

    config: Config

    @nn.compact
    def __call__(self, frames: Image) -> Image:
        config = self.config
        x = (frames - jnp.asarray(MEAN)) / jnp.asarray(DEVIATION)
        x = HiddenConv(config.widths[0], 7, stride=2, dtype=config.dtype, name="stem")(x)
        x = nn.relu(instance_norm(x))
        for level, (width, stride) in enumerate(zip(config.widths, (1, 2, 1), strict=True)):
            for index in range(2):
                step = 1 if index else stride
                block = ResidualBlock(width, step, config.dtype, name=f"block{level}_{index}")
                x = block(x)
        x = Conv(config.features, 1, dtype=config.dtype, name="project")(x)
        # Both scales share this kernel (TridentNet's weight sharing).
        x = HiddenConv(config.features, dtype=config.dtype, name="head")(x)
        return x.astype(jnp.float32)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with instance normalisation, and the shortcut."""

    width: int
    stride: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        def conv(stride, name):
            return HiddenConv(self.width, stride=stride, dtype=self.dtype, name=name)

        out = nn.relu(instance_norm(conv(self.stride, "conv0")(x)))
        out = nn.relu(instance_norm(conv(1, "conv1")(out)))
        if self.stride > 1 or x.shape[-1] != self.width:
            shortcut = Conv(self.width, 1, stride=self.stride, dtype=self.dtype, name="shortcut")
            x = instance_norm(shortcut(x))
        return nn.relu(x + out)


class Transformer(nn.Module):
    """Features of both images of every pair after self- and cross-attention."""

    config: Config

    @nn.compact
    def __call__(self, features: Image, *, windows: int) -> Image:
        """Features `[2 B, h, w, C]`, first images then second images, to the same shape."""
        height, width = (side // windows for side in features.shape[1:3])
        position = sine_position((height, width), self.config.features)
        x = features + np.tile(position, (windows, windows, 1))
        self.sow("intermediates", "positioned", x)
        for index in range(self.config.blocks):
            block = TransformerBlock(EXPANSION, self.config.dtype, name=f"block{index}")
            # Cross-attention uses the other image's features from before this block.
            x = block(x, _swapped(x), windows=windows, shifted=index % 2 == 1)
        return x


class Propagation(nn.Module):
    """Self-attention that propagates flow to occluded pixels with similar features."""

    config: Config

    @nn.compact
    def __call__(self, features: Image, flow: Flow, *, everywhere: bool) -> Flow:
        def projection(name):
            return Projection(self.config.features, dtype=self.config.dtype, name=name)

        query = projection("query")(features)
        # Global propagation projects the query: a bug in the code that trained the weights.
        key = projection("key")(query if everywhere else features)
        if everywhere:
            return attend_to_all(query, key, flow)
        weights = jax.nn.softmax(_correlation(query, key, SPREAD), axis=-1)
        return jnp.einsum("...t,...tc->...c", weights, _neighbours(flow), precision=EXACT)


class Upsampler(nn.Module):
    """Convex upsampling (Teed and Deng 2020, RAFT, sec. 3.3) from 1/4 to the frames."""

    config: Config

    @nn.compact
    def __call__(self, features: Image, flow: Flow) -> Flow:
        dtype = self.config.dtype
        x = jnp.concatenate([flow, features], axis=-1)
        x = nn.relu(Conv(self.config.upsampler, dtype=dtype, name="conv0")(x))
        logits = Conv(9 * UP**2, 1, dtype=dtype, name="conv1")(x).astype(jnp.float32)
        weights = jax.nn.softmax(logits.reshape(*logits.shape[:-1], 9, UP**2), axis=-2)
        fine = jnp.einsum("...ts,...tc->...cs", weights, UP * _neighbours(flow), precision=EXACT)
        return ops.pixel_shuffle(fine.reshape(*flow.shape[:-1], 2 * UP**2), UP)


def _matched(features0: Image, features1: Image) -> Flow:
    """Flow to the expected matching position over the whole other image."""
    height, width = features0.shape[1:3]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    places = jnp.broadcast_to(np.stack([x, y], axis=-1), (*features0.shape[:-1], 2))
    return attend_to_all(features0, features1, places) - places


def _matched_nearby(features0: Image, features1: Image) -> Flow:
    """Flow to the expected matching position in a local window."""
    reach = np.arange(-MATCHED, MATCHED + 1)
    y, x = (grid.reshape(-1) for grid in np.meshgrid(reach, reach, indexing="ij"))
    height, width = features0.shape[1:3]
    rows, columns = np.arange(height)[:, None, None] + y, np.arange(width)[None, :, None] + x
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    scores = jnp.where(inside, _correlation(features0, features1, MATCHED), OUTSIDE)
    offsets = jnp.asarray(np.stack([x, y], axis=-1), jnp.float32)
    return jnp.matmul(jax.nn.softmax(scores, axis=-1), offsets, precision=EXACT)


def _correlation(features0: Image, features1: Image, radius: int) -> Array:
    """Products over sqrt(C) with every position in a local window; 0 outside."""
    root = math.sqrt(features0.shape[-1])
    return ops.cost_volume(features0, features1, radius=radius) * root


def _neighbours(x: Image) -> Array:
    """The 3x3 pixels around each pixel in row-major order, 0 outside: `[B, H, W, 9, C]`."""
    height, width = x.shape[1:3]
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    shifts = (x[:, dy : dy + height, dx : dx + width] for dy in range(3) for dx in range(3))
    return jnp.stack(list(shifts), axis=-2)


def _ways(features: Image, count: int) -> tuple[Image, Image]:
    """Source and target features of each flow."""
    return features[:count], _swapped(features)[:count]


def _swapped(pairs: Image) -> Image:
    return jnp.roll(pairs, len(pairs) // 2, axis=0)
