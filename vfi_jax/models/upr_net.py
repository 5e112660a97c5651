"""UPR-Net: coarse-to-fine flow and synthesis with one small network shared by all levels."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, ConvTranspose, PReLU, leaky_relu
from vfi_jax.layers.flow_scale import check_flow_scale
from vfi_jax.layers.intermediate_flow import ConvPReLU
from vfi_jax.layers.pairs import apart, clamp, shrunk, side_by_side, size_of
from vfi_jax.layers.precision import precision
from vfi_jax.layers.scan import scan_shared
from vfi_jax.layers.system import system

FLOW_SCALES = (0.125, 0.25, 0.5, 1.0)
FULL = 56  # longer side in pixels above which a level is added (demo/interp_imgs.py: 448 / 2^3)
GREY = 0.5  # padding value (demo/interp_imgs.py; tools/benchmark_*.py)
RADIUS = 4  # radius of the correlation, in pixels of the features
QUARTER = 4  # a level's resolution relative to its flow's
DEPTH = 4  # convolutions per stage of the feature pyramid


@dataclasses.dataclass(frozen=True)
class Config:
    """UPR-Net.

    Attributes:
      width: channels of the finest features; all other channels are multiples of it.
      levels: number of image pyramid levels. None: from the longer side: 1 up to 112 pixels, 3 up
        to 448, 6 up to 3584.
      flow_scale: finest fraction of the resolution at which flow is estimated; the same weights
        work for all. The authors evaluate with 0.25 on 4K.
      dtype: type of the convolutions; parameters, flows and frames stay float32.
      precision: precision of the convolutions, see `layers.precision`.

    Raises:
      ValueError: `flow_scale` is not one of 0.125, 0.25, 0.5, 1, or there are too few `levels` for
        it.
    """

    width: int = 16
    levels: int | None = None
    flow_scale: float = 1.0
    dtype: Any = jnp.float32
    precision: str = "highest"

    def __post_init__(self):
        check_flow_scale(self.flow_scale, FLOW_SCALES)
        if self.levels is not None and self.levels <= self.skipped:
            raise ValueError(
                f"levels must be at least {self.skipped + 1} for flow_scale {self.flow_scale:g}, "
                f"got {self.levels}"
            )

    @property
    def skipped(self) -> int:
        """Number of finest levels without flow estimation."""
        return FLOW_SCALES[::-1].index(self.flow_scale)

    def levels_of(self, size: tuple[int, int]) -> int:
        """Number of pyramid levels for frames of this (height, width)."""
        if self.levels is not None:
            return self.levels
        needed = ((max(size) - 1) // FULL).bit_length()
        return max(needed, self.skipped + 1)


VARIANTS = {
    "large": Config(width=24),
    "llarge": Config(width=32),
}


class Model(nn.Module):
    """Unified pyramid recurrent network. Jin et al., CVPR 2023 (arXiv:2211.03456).

    frame_t = clamp(blend of both frames, splatted to t, + residual, 0, 1)

    From coarse to fine over an image pyramid, the same three networks extract features of both
    frames, estimate flow between the frames from the correlation of features splatted to the
    middle, and synthesise the level's frame from the coarser one and from frames and features
    splatted to time t. Flow does not depend on the time. The networks expect BGR.

    Frames may have any size: they are padded with grey at the right and bottom to the pyramid's
    multiple, as in the authors' scripts. The scripts derive the number of levels from the width,
    which gives too few for tall frames; here the longer side is used, which is the same for wide
    frames. A flow_scale below 1 is the authors' level skipping; skipping all levels is an error.

    It was trained at the midpoint with three levels; the authors also use other times and numbers
    of levels.

    The output contains the flows between the frames, "flow01" and "flow10" `[B, H, W, 2]`, and the
    padded frames of the coarser levels, "coarse" `[B, T, h, w, 3]`, coarse to fine.

    Source: srcn-ivl/UPR-Net, core/models/upr_base.py.
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        return Contract(frames=2, times=None)

    def setup(self):
        config = self.config
        self.pyramid = Pyramid(config.width, config.dtype)
        self.motion = Motion(config.width, config.dtype)
        each_time = scan_shared(
            Synthesis,
            self,
            in_axes=(nn.broadcast, 1),
            variable_axes={"intermediates": 0},  # if captured
        )
        self.synthesis = each_time(config.width, config.dtype)

    @system
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        height, width = size_of(frames)
        with precision(self.config.precision):
            levels = self._levels(frames[..., ::-1])
            *coarse, made = self.synthesis(None, levels, times)[1]
        flow = _magnified(levels[-1][2])[..., :height, :width, :]
        return {
            "frames": made[..., :height, :width, ::-1],
            "coarse": tuple(frame[..., ::-1] for frame in coarse),
            "flow01": flow[:, 0],
            "flow10": flow[:, 1],
        }

    def _levels(self, frames):
        """The pair, its features and its flow for each level with a synthesis, coarse to fine."""
        config = self.config
        count = config.levels_of(size_of(frames))
        frames = _padded(frames, count)
        levels: list[tuple[Image, tuple[Image, ...], Array]] = []
        state = flow = None
        for level in reversed(range(config.skipped, count)):
            pair = shrunk(frames, 2**level)
            features = self.pyramid(pair)
            size = size_of(features[-1])
            if flow is None:
                flow = jnp.zeros((*features[-1].shape[:-1], 2))
                state = jnp.zeros_like(features[-1][:, 0])
            else:
                flow = ops.resize_flow(flow, size)
                # Features are doubled with the flow, as in the training of the weights.
                state = 2 * ops.resize_bilinear(state, size)
            state, flow = self.motion(features[-1], state, flow)
            levels.append((pair, features, flow))
        if config.skipped:
            features = self.pyramid(frames)
            levels.append((frames, features, ops.resize_flow(flow, size_of(features[-1]))))
        return levels


class Pyramid(nn.Module):
    """Features of frames `[B, 2, H, W, 3]` at full, half and quarter resolution.

    Attributes:
      width: channels at full resolution; each coarser level has twice as many.
      dtype: type of the convolutions.
    """

    width: int
    dtype: Any

    @nn.compact
    def __call__(self, pair: Image) -> tuple[Image, ...]:
        x = pair.reshape(-1, *pair.shape[2:])
        levels = []
        for level in range(3):
            for index in range(DEPTH):
                stride = 1 if index or not level else 2
                name = f"level{level}_conv{index}"
                conv = Conv(self.width * 2**level, stride=stride, dtype=self.dtype, name=name)
                x = leaky_relu(conv(x))
            levels.append(x.reshape(*pair.shape[:2], *x.shape[1:]))
        return tuple(levels)


class Motion(nn.Module):
    """Flow between two frames, and a state for the next level, from those of the coarser level.

    Flow is `[B, 2, h, w, 2]` in pixels of the level, at a quarter of its resolution.

    Attributes:
      width: channels of the finest features.
      dtype: type of the convolutions.
    """

    width: int
    dtype: Any

    @nn.compact
    def __call__(self, features: Image, state: Image, flow: Array) -> tuple[Image, Array]:
        half_way = flow * (0.5 / QUARTER)  # in pixels of the features
        arrived = _splatted(features, half_way)
        volume = ops.cost_volume(arrived[:, 0], arrived[:, 1], radius=RADIUS)
        inputs = [leaky_relu(volume), side_by_side(arrived), state, side_by_side(flow)]
        x = jnp.concatenate([part.astype(self.dtype) for part in inputs], axis=-1)
        for index, factor in enumerate((10, 8, 7, 6, 4)):
            kernel = 3 if index else 1
            name = f"conv{index}"
            x = leaky_relu(Conv(factor * self.width, kernel, dtype=self.dtype, name=name)(x))
        flow = Conv(4, dtype=self.dtype, name="flow")(x)
        return x, apart(flow.astype(jnp.float32))


class Synthesis(nn.Module):
    """The frames of every level at one time: a scan step with an empty carry.

    Attributes:
      width: channels of the finest features.
      dtype: type of the convolutions.
    """

    width: int
    dtype: Any

    def setup(self):
        self.unet = UNet(self.width, self.dtype)

    def __call__(self, carry: None, levels: list, time: Array) -> tuple[None, tuple[Image, ...]]:
        """Frames `[B, H, W, 3]` in [0, 1], coarse to fine, at `time` `[B]`."""
        frames: list[Image] = []
        for pair, features, flow in levels:
            coarser = frames[-1] if frames else None
            frames.append(self._frame(pair, features, flow, coarser, time))
        return carry, tuple(frames)

    def _frame(self, pair, features, flow, coarser, time):
        share = jnp.stack([time, 1 - time], axis=1)[..., None, None, None]
        flows = [share * _magnified(flow)]
        for finer in features[1:]:
            flows.append(ops.resize_flow(flows[-1], size_of(finer)))
        warped = _splatted(pair, flows[0])
        arrived = [
            side_by_side(_splatted(level, at)) for level, at in zip(features, flows, strict=True)
        ]
        near = 1 - share  # weight of each frame, larger if it is nearer in time
        if coarser is None:
            coarser = (near * warped).sum(1)
        else:
            coarser = ops.resize_bilinear(coarser, size_of(pair))
        seen = [coarser, side_by_side(warped), side_by_side(pair), side_by_side(flows[0])]
        predicted = self.unet(jnp.concatenate(seen, axis=-1), arrived)
        residual = 2 * nn.sigmoid(predicted[..., :3]) - 1
        weight = near * apart(nn.sigmoid(predicted[..., 3:]))
        return clamp((weight * warped).sum(1) / weight.sum(1) + residual)


class UNet(nn.Module):
    """5 float32 channels from all splatted maps: the residual and the logits of both masks.

    Attributes:
      width: half the number of channels at full resolution.
      dtype: type of the convolutions.
    """

    width: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image, features: list[Image]) -> Image:
        x = self._convs(x, 1, 2, "encoder0")
        skips = []
        for level in (1, 2):
            skips.append(x)
            x = self._convs(_joined(x, features[level - 1]), 2**level, 3, f"encoder{level}", 2)
        x = _joined(x, features[2])
        for level in (1, 0):
            name = f"decoder{level}"
            x = ConvTranspose(2 * self.width * 2**level, dtype=self.dtype, name=f"{name}_up")(x)
            x = PReLU(name=f"{name}_prelu")(x)
            x = _joined(self._convs(x, 2**level, 1, name), skips[level])
        x = self._convs(x, 1, 2, "last")
        return Conv(5, dtype=self.dtype, name="head")(x).astype(jnp.float32)

    def _convs(self, x, factor, depth, name, stride=1):
        for index in range(depth):
            conv = ConvPReLU(
                2 * self.width * factor,
                1 if index else stride,
                self.dtype,
                name=f"{name}_conv{index}",
            )
            x = conv(x)
        return x


def _padded(frames, levels):
    """Frames padded with grey, so that all levels have integer sizes."""
    multiple = QUARTER * 2 ** (levels - 1)
    below, right = (-side % multiple for side in size_of(frames))
    widths = ((0, 0), (0, 0), (0, below), (0, right), (0, 0))
    return jnp.pad(frames, widths, constant_values=GREY)


def _splatted(pair, flow):
    return ops.forward_splat(pair, flow, mode="average", normalise="zero_eps")


def _magnified(flow):
    """Flow of a level resized to the level's resolution; it is already in pixels of the level."""
    height, width = size_of(flow)
    return ops.resize_bilinear(flow, (QUARTER * height, QUARTER * width))


def _joined(*parts):
    return jnp.concatenate(parts, axis=-1)
