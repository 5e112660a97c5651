"""Practical-RIFE 4.x: the RIFE that video tools run, any time, without refinement."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, ConvTranspose, leaky_relu
from vfi_jax.layers.flow_scale import check_flow_scale, multiple_at
from vfi_jax.layers.intermediate_flow import ConvPReLU
from vfi_jax.layers.pairs import apart, plane, shrunk, side_by_side, size_of, warp_pair
from vfi_jax.layers.precision import precision
from vfi_jax.layers.scan import scan_shared
from vfi_jax.layers.system import system

BODIES = ("scaled", "plain", "prelu")
LITE = (128, 96, 64, 48)  # channels of the blocks of most "lite" releases
DEPTH = 8  # convolutions of a block's body
SLOPE = 0.2  # of every leaky ReLU


@dataclasses.dataclass(frozen=True)
class Config:
    """The network of one or more releases, of 4.25 and 4.26 by default.

    Attributes:
      channels: of each block, coarse to fine.
      scales: how much each block's input is shrunk.
      encoder: of each frame's features: channels inside, channels out, 3x3 convolutions; None:
        blocks see the frames alone.
      handed: channels that a block hands to the next.
      accumulate: a block adds to the logit as it does to flow; otherwise it predicts it anew.
      body: of a block: "scaled": each convolution is scaled and added to its input; "plain"
        convolutions; "prelu": plain ones with PReLU instead of leaky ReLU, and the whole body is
        added to its input.
      groups: of the body's convolutions.
      unread: further channels that a block predicts and nothing reads.
      limit: pixels; where the second block moves both flows by more, the prediction starts anew at
        twice the scales. None: never.
      flow_scale: flow is estimated at this fraction of the resolution: 0.5 for 4K, whose motions
        are large; it changes no weights.
      dtype: type of the convolutions; parameters, flows and frames stay float32.
      precision: of the convolutions, see `layers.precision`.

    Raises:
      ValueError: `flow_scale` is none of 0.25, 0.5, 1, 2, 4, or `body` is unknown.
    """

    channels: tuple[int, ...] = (192, 128, 96, 64, 32)
    scales: tuple[float, ...] = (16, 8, 4, 2, 1)
    encoder: tuple[int, int, int] | None = (16, 4, 3)
    handed: int = 8
    accumulate: bool = False
    body: str = "scaled"
    groups: int = 1
    unread: int = 0
    limit: float | None = None
    flow_scale: float = 1.0
    dtype: Any = jnp.float32
    precision: str = "highest"

    def __post_init__(self):
        check_flow_scale(self.flow_scale)
        if self.body not in BODIES:
            raise ValueError(f"body must be one of {BODIES}, got {self.body!r}")


def _of_four(channels=(192, 128, 96, 64), **others):
    return Config(channels=channels, scales=(8, 4, 2, 1), **others)


_EARLY: dict[str, Any] = {"encoder": None, "handed": 0, "accumulate": True}
_MIDDLE: dict[str, Any] = {"handed": 0, "unread": 1}
_LARGE_ENCODER = _of_four(encoder=(32, 8, 3), **_MIDDLE)
VARIANTS = {
    **dict.fromkeys(("4.0", "4.1"), _of_four(body="prelu", limit=32.0, **_EARLY)),
    **dict.fromkeys(("4.2", "4.3", "4.4"), _of_four(body="plain", **_EARLY)),
    "4.5": _of_four(**_EARLY),
    "4.6": _of_four(unread=1, **_EARLY),
    **dict.fromkeys(("4.7", "4.8", "4.9"), _of_four(encoder=(16, 4, 1), **_MIDDLE)),
    **dict.fromkeys(("4.10", "4.11", "4.12", "4.13", "4.14", "4.15"), _LARGE_ENCODER),
    **dict.fromkeys(("4.17", "4.18", "4.19", "4.24"), _LARGE_ENCODER),
    **dict.fromkeys(("4.12.lite", "4.13.lite"), _of_four(LITE, encoder=(32, 4, 3), **_MIDDLE)),
    "4.14.lite": _of_four(encoder=(32, 8, 3), groups=2, **_MIDDLE),
    **dict.fromkeys(("4.15.lite", "4.16.lite", "4.17.lite"), _of_four(LITE, **_MIDDLE)),
    "4.20": _of_four((384, 192, 96, 48), encoder=(32, 8, 3), **_MIDDLE),
    **dict.fromkeys(("4.21", "4.22", "4.23"), _of_four((256, 192, 96, 48), encoder=(32, 8, 3))),
    "4.22.lite": _of_four((192, 128, 64, 32)),
    **dict.fromkeys(("4.25", "4.26"), Config()),
    "4.25.lite": Config(channels=(192, 128, 96, 64, 24), scales=(32, 16, 8, 4, 1)),
    "4.25.heavy": Config(channels=(384, 256, 192, 128, 64)),
    "4.26.heavy": Config(encoder=(16, 16, 3)),
}


class Model(nn.Module):
    """Practical-RIFE (hzwer/Practical-RIFE), whose releases no paper describes.

    frame_t = m frame0(p + flow_t0) + (1 - m) frame1(p + flow_t1)

    As in RIFE a chain of blocks adds to flow, each at its scale, seeing the frames as the one
    before warped them. Later releases give a block features of the frames too, warped alike, and
    what the block before handed on. There is no residual; the frame is not clipped.

    RGB, as the authors' inference_video.py reads; their frames end in zeros up to a multiple of 128
    (`padding="practical-rife"`). What their "ensemble" option does, every block's answer to both
    orders of the frames, is not here.

    The prediction has, in the order of the blocks and for every time, "flows" `[B, T, 2, H, W, 2]`,
    "logits" of m `[B, T, H, W, 1]` and "blends" `[B, T, H, W, 3]`.

    4.0 and 4.1 start anew at twice their scales where motion is large. Upstream takes the largest
    motion of a whole batch; here each example at each time is one of its own.

    Source: HolyWu/vs-rife, vsrife/IFNet_HDv3_v4_*.py, ports of the releases' own files.
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        coarsest = 4 * int(max(self.config.scales))  # two convolutions halve
        if self.config.limit:
            coarsest *= 2
        multiple = multiple_at(self.config.flow_scale, coarsest)
        return Contract(frames=2, times=None, multiple=multiple)

    def setup(self):
        config = self.config
        if config.encoder:
            self.encode = Encoder(*config.encoder, config.dtype)
        features = 5 + config.handed + config.unread
        self.blocks = [
            Block(channels, features, config.body, config.groups, config.dtype)
            for channels in config.channels
        ]

    @system
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        with precision(self.config.precision):
            frames = jnp.clip(frames, 0, 1)
            pair = frames
            if self.config.encoder:
                pair = jnp.concatenate([frames, self.encode(frames)], axis=-1)
            first = self._shrunk(_joined(pair), self.config.scales[0])
            each_time = scan_shared(Model._at, self, in_axes=(nn.broadcast, nn.broadcast, 1))
            return each_time(self, None, pair, first, times)[1]

    def _at(self, carry: None, pair: Image, first: Image, time: Array) -> tuple[None, dict]:
        """The prediction for one time `[B]`; a body of scan."""
        found = self._chain(pair, first, time, self.config.scales)
        if self.config.limit and not self.is_initializing():
            step = found["flows"][1] - found["flows"][0]
            large = (jnp.abs(step).max((-3, -2, -1)) > self.config.limit).all(axis=-1)
            either = (Model._anew, Model._as_found)
            found = nn.cond(large.any(), *either, self, found, large, pair, time)
        return carry, found

    def _anew(self, found: dict, large: Array, pair: Image, time: Array) -> dict:
        """`found`; of the examples that are `large` `[B]`, the prediction at twice the scales."""
        scales = tuple(2 * scale for scale in self.config.scales)
        first = self._shrunk(_joined(pair), scales[0])
        coarser = self._chain(pair, first, time, scales)

        def chosen(new, old):
            return jnp.where(jnp.expand_dims(large, range(1, old.ndim)), new, old)

        return jax.tree.map(chosen, coarser, found)

    def _as_found(self, found: dict, large: Array, pair: Image, time: Array) -> dict:
        return found

    def _chain(self, pair: Image, first: Image, time: Array, scales: Sequence[float]) -> dict:
        """The prediction of all blocks, one after the other; `first` is the first one's input."""
        config, size = self.config, size_of(pair)
        warped, flow = pair, jnp.zeros((*pair.shape[:-1], 2))
        state = jnp.zeros((*pair.shape[:1], *size, 1 + config.handed))  # logit, what is handed on
        inputs = [first, *plane(time, first)]
        flows: list[Array] = []
        logits: list[Array] = []
        blends: list[Image] = []
        for block, scale in zip(self.blocks, scales, strict=True):
            if flows:
                seen = [_joined(warped), *plane(time, state), state]
                small = self._shrunk(jnp.concatenate(seen, axis=-1), scale)
                inputs = [small, side_by_side(ops.resize_flow(flow, size_of(small)))]
            step = block(jnp.concatenate(inputs, axis=-1))
            flow = flow + ops.resize_flow(apart(step[..., :4]), size)
            update = ops.resize_bilinear(step[..., 4 : 5 + config.handed], size)
            state = state + update if config.accumulate else update
            warped = warp_pair(pair, flow)
            weight = nn.sigmoid(state[..., :1])
            flows.append(flow)
            logits.append(state[..., :1])
            blends.append(weight * warped[:, 0, ..., :3] + (1 - weight) * warped[:, 1, ..., :3])
        prediction = {"flows": tuple(flows), "logits": tuple(logits), "blends": tuple(blends)}
        return {"frames": blends[-1], **prediction}

    def _shrunk(self, x, scale):
        return shrunk(x, scale / self.config.flow_scale)


class Encoder(nn.Module):
    """Features of each frame alone, as large as the frame; `[B, 2, H, W, 3]` to `[.., features]`.

    Attributes:
      width: channels at half resolution.
      features: channels of the result.
      depth: convolutions at half resolution; a single one has no activation, as released.
      dtype: type of the convolutions.
    """

    width: int
    features: int
    depth: int
    dtype: Any

    @nn.compact
    def __call__(self, frames: Image) -> Image:
        x = frames.reshape(-1, *frames.shape[2:])
        for index in range(self.depth):
            stride = 1 if index else 2
            x = Conv(self.width, stride=stride, dtype=self.dtype, name=f"conv{index}")(x)
            x = leaky_relu(x, slope=SLOPE) if self.depth > 1 else x
        x = ConvTranspose(self.features, dtype=self.dtype, name="up")(x)
        return x.reshape(*frames.shape[:-1], self.features).astype(jnp.float32)


class Block(nn.Module):
    """A step of flow (4 channels), the logit and what is handed on.

    As large as its input, or half as large with a body that is not "scaled".

    Attributes:
      channels: of the body.
      features: channels of the step.
      body: as in `Config`.
      groups: of the body's convolutions.
      dtype: type of the convolutions.
    """

    channels: int
    features: int
    body: str
    groups: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        for index, width in enumerate((self.channels // 2, self.channels)):
            x = self._activated(x, width, f"stem{index}", stride=2)
        stem = x
        for index in range(DEPTH):
            if self.body == "scaled":
                x = ScaledResidual(self.groups, self.dtype, name=f"body{index}")(x)
            else:
                x = self._activated(x, self.channels, f"body{index}", stride=1)
        if self.body == "scaled":
            x = ConvTranspose(4 * self.features, dtype=self.dtype, name="head")(x)
            return ops.pixel_shuffle(x, 2).astype(jnp.float32)
        x = x + stem if self.body == "prelu" else x
        return ConvTranspose(self.features, dtype=self.dtype, name="head")(x).astype(jnp.float32)

    def _activated(self, x, width, name, *, stride):
        if self.body == "prelu":
            return ConvPReLU(width, stride, self.dtype, name=name)(x)
        return leaky_relu(Conv(width, stride=stride, dtype=self.dtype, name=name)(x), slope=SLOPE)


class ScaledResidual(nn.Module):
    """leaky_relu(scale * conv(x) + x), one learnt scale a channel.

    Attributes:
      groups: of the convolution.
      dtype: type of the convolution.

    Parameters: scale `[channels]`, and those of conv.
    """

    groups: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        channels = x.shape[-1]
        scale = self.param("scale", nn.initializers.ones, (channels,))
        moved = Conv(channels, groups=self.groups, dtype=self.dtype, name="conv")(x)
        return leaky_relu(scale.astype(self.dtype) * moved + x, slope=SLOPE)


def _joined(pair: Image) -> Image:
    """`[B, 2, H, W, 3 + C]` as both frames, then the features of both."""
    return jnp.concatenate([side_by_side(pair[..., :3]), side_by_side(pair[..., 3:])], axis=-1)
