"""FILM: scale-agnostic features and flow with shared weights over a pyramid, for large motion."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Flow, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, average_pool, leaky_relu, repeat_pixels
from vfi_jax.layers.pairs import side_by_side, size_of, warp_pair
from vfi_jax.layers.precision import precision
from vfi_jax.layers.system import system

SLOPE = 0.2  # slope of all leaky ReLUs (fusion.py, _relu)
TIME = 0.5  # the only time it was trained for; flows are halved


@dataclasses.dataclass(frozen=True)
class Config:
    """FILM.

    Attributes:
      levels: levels of the pyramids; each halves the resolution.
      fused: number of finest levels used by the decoder.
      width: channels of an image's finest features; the next ones have twice as many.
      depth: feature levels extracted from each level's image.
      flow_widths: channels of the flow networks, finest level first; all coarser levels share the
        last network.
      flow_depth: number of 3x3 convolutions of each flow network.
      dtype: type of the convolutions; parameters, flows and frames stay float32.
      precision: precision of the convolutions, see `layers.precision`.

    Raises:
      ValueError: `fused` or the number of flow networks exceeds the number of levels, or `depth`
        is too large for coarse levels to share a flow network.
    """

    levels: int = 7
    fused: int = 5
    width: int = 64
    depth: int = 4
    flow_widths: tuple[int, ...] = (32, 64, 128, 256)
    flow_depth: int = 3
    dtype: Any = jnp.float32
    precision: str = "highest"

    def __post_init__(self):
        for name, count in (("fused", self.fused), ("flow_widths", len(self.flow_widths))):
            if not 1 <= count <= self.levels:
                raise ValueError(f"{name} must be 1 to {self.levels} levels, got {count}")
        if not 1 <= self.depth <= len(self.flow_widths):
            raise ValueError(
                f"depth must be 1 to {len(self.flow_widths)}, the number of flow networks, "
                f"got {self.depth}"
            )


VARIANTS = {
    "l1": Config(),  # trained for PSNR
    "vgg": Config(),  # with an additional feature loss; "style" is fine-tuned from it
    "style": Config(),  # perceptual quality: the authors' choice, and that of most video tools
    "small": Config(levels=5, fused=4, width=12, depth=3, flow_widths=(8, 16, 24)),
}


class Model(nn.Module):
    """Frame interpolation for large motion. Reda et al., ECCV 2022 (arXiv:2202.04901).

    One feature extractor runs on every level of an image pyramid and returns features at that and
    coarser resolutions; features of equal resolution are concatenated. Coarse levels thus have
    features of the same kind and share one flow network. From coarse to fine, each level adds a
    residual to both flows between the frames. Half of these flows warp images and features of both
    frames to the middle, where a decoder predicts the frame.

    Only the midpoint is supported: the authors' code replaces its time argument by 1/2
    (interpolator.py, mid_time) and reaches other times by bisection. Ports that scale the flows by
    the time use the network outside its training. The authors' `dense_image_warp` and PyTorch's
    `grid_sample` use border padding, as does `backward_warp` here.

    The output contains the flows between the frames, "flow01" and "flow10" `[B, H, W, 2]`, and the
    "flows" from the new frame, coarse to fine, `[B, 1, 2, h, w, 2]` in pixels of their own size.
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        multiple = 2 ** (self.config.levels - 1)
        return Contract(frames=2, times=(TIME,), multiple=multiple)

    def setup(self):
        config = self.config
        self.extract = Features(config.width, config.depth, config.dtype)
        self.flow = [
            FlowNetwork(width, config.flow_depth, config.dtype) for width in config.flow_widths
        ]
        self.fuse = Fusion(config.width, len(config.flow_widths) - 1, config.dtype)

    @system
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        with precision(self.config.precision):
            # Both frames of a pair are processed as one batch, `[2 B, h, w, C]`.
            images = [frames.reshape(-1, *frames.shape[2:])]
            for _ in range(1, self.config.levels):
                images.append(average_pool(images[-1]))
            features = self._cascade(images)
            flows = self._flows(features)
            fused = range(self.config.fused)
            frame = self.fuse([_aligned(images[i], features[i], flows[i]) for i in fused])
        return {
            "frames": frame[:, None],
            "flow01": flows[0][:, 0],
            "flow10": flows[0][:, 1],
            "flows": tuple(_from_middle(flow)[:, None] for flow in flows[::-1]),
        }

    def _cascade(self, images):
        """Features of every level, finest first: from its own image, then from finer images."""
        config = self.config
        trees = [
            self.extract(image, min(config.depth, config.levels - level))
            for level, image in enumerate(images)
        ]
        return [
            jnp.concatenate(
                [trees[level - up][up] for up in range(min(config.depth, level + 1))], axis=-1
            )
            for level in range(config.levels)
        ]

    def _flows(self, features):
        """Flow from each frame to the other, finest level first, `[B, 2, h, w, 2]` pixels."""
        flows: list[Array] = []
        for level in reversed(range(len(features))):
            here = features[level]
            there = _pairs(here)[:, ::-1]
            network = self.flow[min(level, len(self.flow) - 1)]
            coarser = ops.resize_flow(flows[0], size_of(here)) if flows else None
            if coarser is not None:
                there = warp_pair(there, coarser)
            left = _pairs(network(here, there.reshape(here.shape)))
            flows.insert(0, left if coarser is None else coarser + left)
        return flows


class Features(nn.Module):
    """Features of an image at its own and at coarser resolutions, finest first.

    Attributes:
      width: channels at the finest level; each coarser level has twice as many.
      depth: maximum number of levels.
      dtype: type of the convolutions.
    """

    width: int
    depth: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image, depth: int) -> list[Image]:
        levels = []
        for level in range(min(depth, self.depth)):
            x = average_pool(x) if level else x
            for index in range(2):
                name = f"level{level}_conv{index}"
                conv = _conv(self.width * 2**level, 3, self.dtype, name)
                x = leaky_relu(conv(x), slope=SLOPE)
            levels.append(x)
        return levels


class FlowNetwork(nn.Module):
    """Residual of the flow from one image to another, in float32 pixels.

    Attributes:
      width: hidden channels.
      depth: number of 3x3 convolutions.
      dtype: type of the convolutions.
    """

    width: int
    depth: int
    dtype: Any

    @nn.compact
    def __call__(self, features: Image, warped: Image) -> Flow:
        x = jnp.concatenate([features, warped], axis=-1)
        for index in range(self.depth):
            x = leaky_relu(_conv(self.width, 3, self.dtype, f"conv{index}")(x), slope=SLOPE)
        x = leaky_relu(_conv(self.width // 2, 1, self.dtype, "narrow")(x), slope=SLOPE)
        return _conv(2, 1, self.dtype, "head")(x).astype(jnp.float32)


class Fusion(nn.Module):
    """The decoder: warped images, features and flows of all levels to the frame `[B, H, W, 3]`.

    Attributes:
      width: channels at the finest level; each coarser level has twice as many.
      doublings: number of levels over which the channels double.
      dtype: type of the convolutions.
    """

    width: int
    doublings: int
    dtype: Any

    @nn.compact
    def __call__(self, pyramid: list[Image]) -> Image:
        *finer, x = pyramid
        for level, seen in reversed([*enumerate(finer)]):
            width = self.width * 2 ** min(level, self.doublings)
            name = f"level{level}_conv"
            x = repeat_pixels(x)
            # TensorFlow pads an even kernel at the bottom and on the right.
            x = jnp.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))
            x = _conv(width, 2, self.dtype, f"{name}0", padding=0)(x)
            x = jnp.concatenate([seen, x], axis=-1)
            for index in (1, 2):
                conv = _conv(width, 3, self.dtype, f"{name}{index}")
                x = leaky_relu(conv(x), slope=SLOPE)
        return _conv(3, 1, self.dtype, "head")(x).astype(jnp.float32)


def _conv(features, kernel, dtype, name, **options):
    """A convolution with Keras's initialisation."""
    return Conv(
        features,
        kernel,
        dtype=dtype,
        kernel_init=nn.initializers.glorot_uniform(),
        bias_init=nn.initializers.zeros,
        name=name,
        **options,
    )


def _pairs(both):
    """`[2 B, ...]` as `[B, 2, ...]`."""
    return both.reshape(-1, 2, *both.shape[1:])


def _from_middle(flow):
    """Flows `[B, 2, h, w, 2]` from the middle frame to both inputs: half of the flows between the
    inputs, without resampling them at the middle frame's pixels."""
    return TIME * flow[:, ::-1]


def _aligned(image, features, flow):
    """The decoder's input at a level, `[B, h, w, C]`: warped frames and features, flows."""
    to_frames = _from_middle(flow)
    warped = warp_pair(_pairs(jnp.concatenate([image, features], axis=-1)), to_frames)
    return jnp.concatenate([side_by_side(warped), side_by_side(to_frames)], axis=-1)
