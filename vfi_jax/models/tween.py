"""Tween: a small system for any time that compiles and runs fast."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from vfi_jax import ops
from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, leaky_relu
from vfi_jax.layers.flow_scale import check_flow_scale, multiple_at
from vfi_jax.layers.pairs import plane, shrunk, size_of, warp_each
from vfi_jax.layers.precision import precision
from vfi_jax.layers.scan import scan_shared
from vfi_jax.layers.system import system

SLOPE = 0.1  # slope of every leaky ReLU
AT_A_FRAME = 1e-3  # minimum distance of a time to 0 and 1 in the logit
SHARPNESS = 10.0  # initial sharpness of the softmax over similarities in -1 .. 1
FAINT = 1e-3  # mean square of features regarded as textureless
COARSER = 2  # encoder levels finer than the finest block's
LAST = 2**COARSER  # the last block works at 1/4 of the resolution
ESTIMATE = 5  # channels of an estimate: motion of frame 0 and of frame 1 (x, y), the logit


@dataclasses.dataclass(frozen=True)
class Config:
    """Tween.

    Attributes:
      encoder: channels of the features at 1/2, 1/4, ... of the resolution, finest first.
      channels: channels of the blocks, coarsest first; one block per encoder level from 1/8 on.
      depths: number of residual convolutions of each block.
      radii: radius of each block's cost volume, in pixels of its level; 0: no cost volume.
      carried: feature channels that a block passes on besides its estimate.
      last: channels and residual convolutions of the block that takes the warped pixels.
      flow_scale: fraction of the resolution at which flow is estimated, such as 0.5 for 4K with
        large motion; the same weights work for all.
      dtype: type of the convolutions; parameters, flows and frames stay float32.
      precision: precision of the convolutions, see `layers.precision`.

    Raises:
      ValueError: `flow_scale` is not one of 0.25, 0.5, 1, 2, 4, or the number of blocks is not the
        number of levels minus two.
    """

    encoder: tuple[int, ...] = (16, 24, 32, 48, 64)
    channels: tuple[int, ...] = (160, 112, 64)
    depths: tuple[int, ...] = (5, 4, 4)
    radii: tuple[int, ...] = (4, 3, 2)
    carried: int = 8
    last: tuple[int, int] = (48, 4)
    flow_scale: float = 1.0
    dtype: Any = jnp.float32
    precision: str = "highest"

    def __post_init__(self):
        check_flow_scale(self.flow_scale)
        blocks = len(self.encoder) - COARSER
        if not len(self.channels) == len(self.depths) == len(self.radii) == blocks:
            raise ValueError(
                f"channels, depths and radii must have one entry for each of {blocks} levels, "
                f"got {self.channels}, {self.depths}, {self.radii}"
            )


VARIANTS: dict[str, Config] = {}


class Model(nn.Module):
    """Coarse-to-fine intermediate flow; the frame is a blend of both warped frames, without
    residual.

    frame_t = m frame0(p + flow_t0) + (1 - m) frame1(p + flow_t1)

    A feature pyramid is computed once for all times. From 1/32 to 1/8 of the resolution, each
    level has a block that refines the estimate. It takes both frames' features, warped by the
    estimate so far, and their cost volume, to find motion beyond the receptive field of its
    convolutions; coarser blocks are wider. The last block works at 1/4 and takes the warped pixels,
    4x4 of them as channels. Its estimate is interpolated to the size of the frames. A finer one
    would not improve them: the frames of Practical-RIFE 4.6 keep their HaarPSI if its flow and
    blending weights are averaged to 1/4 of the resolution.

    Motion is estimated for the whole interval: the flow to frame 0 is -t times the motion, the flow
    to frame 1 is 1 - t times the motion. The logit of m starts at log((1 - t) / t). A new frame
    thus approaches its neighbours as its time does.

    The output contains for every time, coarse to fine, "flows" `[B, T, 2, h, w, 2]` in pixels of
    their own size and "logits" `[B, T, h, w, 1]`, the last of them at full size.

    Source: no paper. Coarse-to-fine warped features and cost volumes are from PWC-Net (Sun et al.
    2018), intermediate flow from RIFE (Huang et al. 2022), wider coarse blocks from Practical-RIFE.
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        coarsest = 2 ** len(self.config.encoder)
        multiple = multiple_at(self.config.flow_scale, coarsest)
        return Contract(frames=2, times=None, multiple=multiple, flows=True)

    def setup(self):
        config = self.config
        self.encode = Encoder(config.encoder, config.dtype)
        blocks = zip(config.channels, config.depths, config.radii, strict=True)
        self.blocks = [Block(*block, config.dtype) for block in blocks]
        self.last = LastBlock(*config.last, config.dtype)

    @system
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        with precision(self.config.precision):
            # The pair axis comes first, so that each frame is warped without a copy.
            pair = jnp.clip(frames, 0, 1).swapaxes(0, 1)
            features = self.encode(shrunk(pair, 1 / self.config.flow_scale))
            each_time = scan_shared(Model._at, self, in_axes=(nn.broadcast, nn.broadcast, 1))
            return each_time(self, None, pair, features, times)[1]

    def _at(self, carry: None, pair: Image, features: list[Image], time: Array):
        """The prediction for one time `[B]`; a scan body."""
        share = jnp.stack([-time, 1 - time])[..., None, None, None]
        inside = jnp.clip(time, AT_A_FRAME, 1 - AT_A_FRAME)
        prior = jnp.log((1 - inside) / inside)[:, None, None, None]

        def flow_of(state):
            return share * jnp.stack([state[..., :2], state[..., 2:4]])

        height, width = size_of(pair)
        state = jnp.zeros((*features[0].shape[1:-1], ESTIMATE + self.config.carried))
        states: list[Array] = []
        for block, seen in zip(self.blocks, features, strict=True):
            state = _resized(state, size_of(seen))
            state = block(warp_each(seen, flow_of(state)) if states else seen, state, time)
            states.append(state)
        warped = warp_each(pair, flow_of(_resized(state[..., :4], (height, width))))
        state = self.last(warped, _resized(state, (height // LAST, width // LAST)), time)
        states += [state, _resized(state, (height, width))]
        flows = [flow_of(state) for state in states]
        logits = [prior + state[..., 4:ESTIMATE] for state in states]
        warped, weight = warp_each(pair, flows[-1]), nn.sigmoid(logits[-1])
        return carry, {
            "frames": weight * warped[0] + (1 - weight) * warped[1],
            "flows": tuple(flow.swapaxes(0, 1) for flow in flows),
            "logits": tuple(logits),
        }


class Encoder(nn.Module):
    """Features of each frame, `[2, B, h, w, C]`, coarsest first, without the finest level.

    Attributes:
      channels: channels at 1/2, 1/4, ... of the resolution.
      dtype: type of the convolutions.
    """

    channels: tuple[int, ...]
    dtype: Any

    @nn.compact
    def __call__(self, pair: Image) -> list[Image]:
        x = pair.reshape(-1, *pair.shape[2:]) - 0.5
        features = []
        for level, width in enumerate(self.channels):
            down = Conv(width, stride=2, dtype=self.dtype, name=f"down{level}")
            x = leaky_relu(down(x), slope=SLOPE)
            if level:
                conv = Conv(width, dtype=self.dtype, name=f"conv{level}")
                x = leaky_relu(conv(x), slope=SLOPE)
            if level >= COARSER:
                features.append(x.astype(jnp.float32).reshape(*pair.shape[:2], *x.shape[1:]))
        return features[::-1]


class Block(nn.Module):
    """Refines the state of a level, `[B, h, w, 5 + carried]`.

    A state is an estimate (motion of both frames in pixels of its own size, logit without its
    prior) and the passed features.

    Attributes:
      channels: channels of the convolutions.
      depth: number of residual convolutions.
      radius: radius of the cost volume; 0: none.
      dtype: type of the convolutions.
    """

    channels: int
    depth: int
    radius: int
    dtype: Any

    @nn.compact
    def __call__(self, warped: Image, state: Array, time: Array) -> Array:
        inputs = [warped[0], warped[1], state, *plane(time, state)]
        if self.radius:
            inputs += self._matches(warped)
        return _step(self, jnp.concatenate(inputs, axis=-1), state)

    def _matches(self, warped):
        """Cost volume of both frames' features, and the best-matching displacement."""
        # A product with ones: XLA turns a mean over channels into a scalar loop on a CPU.
        mean = jnp.full((warped.shape[-1], 1), 1 / warped.shape[-1])
        unit = warped / jnp.sqrt(jnp.square(warped) @ mean + FAINT)
        similar = ops.cost_volume(unit[0], unit[1], radius=self.radius)
        sharpness = self.param("sharpness", nn.initializers.constant(SHARPNESS), ())
        reach = np.arange(-self.radius, self.radius + 1, dtype=np.float32)
        y, x = np.meshgrid(reach, reach, indexing="ij")
        displacements = np.stack([x.reshape(-1), y.reshape(-1)], axis=-1)
        return [similar, nn.softmax(sharpness * similar) @ displacements]


class LastBlock(nn.Module):
    """Maps the state at 1/4 of the resolution to the last estimate, `[B, H/4, W/4, 5]`.

    Attributes:
      channels: channels of the convolutions.
      depth: number of residual convolutions.
      dtype: type of the convolutions.
    """

    channels: int
    depth: int
    dtype: Any

    @nn.compact
    def __call__(self, warped: Image, state: Array, time: Array) -> Array:
        pixels = ops.pixel_unshuffle(warped, LAST)
        inputs = [pixels[0], pixels[1], state, *plane(time, state)]
        return _step(self, jnp.concatenate(inputs, axis=-1), state[..., :ESTIMATE])


def _step(block, x, state):
    """The state plus what the convolutions of `block` make of `x`."""

    def conv(features, name, **options):
        return Conv(features, dtype=block.dtype, name=name, **options)

    x = leaky_relu(conv(block.channels, "stem")(x), slope=SLOPE)
    for index in range(block.depth):
        x = leaky_relu(conv(block.channels, f"body{index}")(x) + x, slope=SLOPE)
    zeros = nn.initializers.zeros  # initially the state is unchanged
    head = conv(state.shape[-1], "head", kernel_init=zeros, bias_init=zeros)
    return state + head(x).astype(jnp.float32)


def _resized(state, size):
    """The state at another size, with motion in pixels of that size."""
    if size_of(state) == size:
        return state
    factor = size[0] / size_of(state)[0]
    # Interpolated rather than repeated, so that coarse estimates leave no pattern in the frame.
    scale = np.where(np.arange(state.shape[-1]) < 4, factor, 1).astype(np.float32)
    return ops.resize_bilinear(state, size) * scale
