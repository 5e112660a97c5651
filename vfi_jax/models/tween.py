"""Tween: small, quick to compile and to run, any time."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from vfi_jax import ops
from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, leaky_relu, repeat_pixels
from vfi_jax.layers.flow_scale import check_flow_scale, multiple_at
from vfi_jax.layers.pairs import plane, shrunk, size_of, warp_each
from vfi_jax.layers.precision import precision
from vfi_jax.layers.scan import scan_shared
from vfi_jax.layers.system import system

SLOPE = 0.1  # of every leaky ReLU
AT_A_FRAME = 1e-3  # nearer to 0 or 1 a time has the logit of this one: it would be infinite there
SHARPNESS = 10.0  # of the softmax over similarities in -1 .. 1, before training
FAINT = 1e-3  # mean square of features that count as no texture
ESTIMATE = 5  # channels of an estimate: motion of frame 0 and of frame 1 (x, y), the logit


@dataclasses.dataclass(frozen=True)
class Config:
    """Tween.

    Attributes:
      encoder: channels of the features at 1/2, 1/4, ... of the resolution, finest first.
      channels: of the blocks, coarsest first; one for each level of the encoder but the finest.
      depths: residual convolutions of each block.
      radii: of each block's cost volume, in pixels of its level; 0: it has none.
      carried: channels that a block hands on besides its estimate.
      last: channels and residual convolutions of the block that sees full resolution.
      flow_scale: flow is estimated at this fraction of the resolution: 0.5 for 4K, whose motions
        are large; it changes no weights.
      dtype: type of the convolutions; parameters, flows and frames stay float32.
      precision: of the convolutions, see `layers.precision`.

    Raises:
      ValueError: `flow_scale` is none of 0.25, 0.5, 1, 2, 4, or there is not one block for each
        level but the finest.
    """

    encoder: tuple[int, ...] = (16, 24, 32, 48, 64)
    channels: tuple[int, ...] = (160, 112, 64, 32)
    depths: tuple[int, ...] = (5, 4, 3, 3)
    radii: tuple[int, ...] = (4, 3, 0, 0)
    carried: int = 8
    last: tuple[int, int] = (20, 2)
    flow_scale: float = 1.0
    dtype: Any = jnp.float32
    precision: str = "highest"

    def __post_init__(self):
        check_flow_scale(self.flow_scale)
        blocks = len(self.encoder) - 1
        if not len(self.channels) == len(self.depths) == len(self.radii) == blocks:
            raise ValueError(
                f"channels, depths and radii must have one entry for each of {blocks} levels, "
                f"got {self.channels}, {self.depths}, {self.radii}"
            )


VARIANTS: dict[str, Config] = {}


class Model(nn.Module):
    """Intermediate flow from coarse to fine; the frame is a blend of both, without a residual.

    frame_t = m frame0(p + flow_t0) + (1 - m) frame1(p + flow_t1)

    A pyramid of features is computed once for all times. At each level a block sees both frames'
    features where the estimate so far finds them, and doubles the estimate's resolution; blocks are
    wide where pixels are few. The two coarsest also see a cost volume, by which they find motion
    that no neighbourhood of convolutions spans. The last block sees the warped pixels themselves,
    2x2 of them as the channels of one.

    Each frame's motion is estimated for the whole interval: flow is that times -t to frame 0 and
    times 1 - t to frame 1, and the logit of m starts as log((1 - t) / t), so that a new frame
    approaches its neighbours as its time does.

    The prediction has for every time, coarse to fine, "flows" `[B, T, 2, h, w, 2]` in pixels of
    their own size and "logits" `[B, T, h, w, 1]`, the last of them as large as the frames.

    Source: no paper describes it. Warped features and cost volumes from coarse to fine are
    PWC-Net's (Sun et al. 2018), intermediate flow is RIFE's (Huang et al. 2022), blocks that are
    the wider the coarser Practical-RIFE's.
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
            # The pair comes first, so that one frame after the other is warped without a copy.
            pair = jnp.clip(frames, 0, 1).swapaxes(0, 1)
            features = self.encode(shrunk(pair, 1 / self.config.flow_scale))
            each_time = scan_shared(Model._at, self, in_axes=(nn.broadcast, nn.broadcast, 1))
            return each_time(self, None, pair, features, times)[1]

    def _at(self, carry: None, pair: Image, features: list[Image], time: Array):
        """The prediction for one time `[B]`; a body of scan."""
        share = jnp.stack([-time, 1 - time])[..., None, None, None]
        inside = jnp.clip(time, AT_A_FRAME, 1 - AT_A_FRAME)
        prior = jnp.log((1 - inside) / inside)[:, None, None, None]

        def flow_of(state):
            return share * jnp.stack([state[..., :2], state[..., 2:4]])

        state = jnp.zeros((*features[0].shape[1:-1], ESTIMATE + self.config.carried))
        states: list[Array] = []
        for block, seen in zip(self.blocks, features, strict=True):
            state = block(warp_each(seen, flow_of(state)) if states else seen, state, time)
            states.append(state)
        height, width = size_of(pair)
        state = _resized(state, (height // 2, width // 2))
        warped = warp_each(pair, flow_of(repeat_pixels(2 * state[..., :4])))
        states.append(self.last(warped, state, time))
        flows = [flow_of(state) for state in states]
        logits = [prior + state[..., 4:ESTIMATE] for state in states]
        warped, weight = warp_each(pair, flows[-1]), nn.sigmoid(logits[-1])
        return carry, {
            "frames": weight * warped[0] + (1 - weight) * warped[1],
            "flows": tuple(flow.swapaxes(0, 1) for flow in flows),
            "logits": tuple(logits),
        }


class Encoder(nn.Module):
    """Features of each frame alone, `[2, B, h, w, C]`, coarsest first, without the finest.

    Attributes:
      channels: at 1/2, 1/4, ... of the resolution.
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
                features.append(x.astype(jnp.float32).reshape(*pair.shape[:2], *x.shape[1:]))
        return features[::-1]


class Block(nn.Module):
    """From the state of a level, `[B, h, w, 5 + carried]`, to that of the next finer one.

    A state is an estimate (motion of either frame in pixels of its own size, the logit without its
    prior) and what is carried besides.

    Attributes:
      channels: of the convolutions.
      depth: residual convolutions.
      radius: of the cost volume, 0: none.
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
        """Similarities of both frames' features, and the displacement that matches best."""
        # A product with ones: XLA makes a scalar loop of a mean over channels on a CPU.
        mean = jnp.full((warped.shape[-1], 1), 1 / warped.shape[-1])
        unit = warped / jnp.sqrt(jnp.square(warped) @ mean + FAINT)
        similar = ops.cost_volume(unit[0], unit[1], radius=self.radius)
        sharpness = self.param("sharpness", nn.initializers.constant(SHARPNESS), ())
        reach = np.arange(-self.radius, self.radius + 1, dtype=np.float32)
        y, x = np.meshgrid(reach, reach, indexing="ij")
        displacements = np.stack([x.reshape(-1), y.reshape(-1)], axis=-1)
        return [similar, nn.softmax(sharpness * similar) @ displacements]


class LastBlock(nn.Module):
    """From the state at half resolution to the estimate `[B, H, W, 5]` at full resolution.

    Attributes:
      channels: of the convolutions.
      depth: residual convolutions.
      dtype: type of the convolutions.
    """

    channels: int
    depth: int
    dtype: Any

    @nn.compact
    def __call__(self, warped: Image, state: Array, time: Array) -> Array:
        pixels = ops.pixel_unshuffle(warped, 2)
        inputs = [pixels[0], pixels[1], state, *plane(time, state)]
        return _step(self, jnp.concatenate(inputs, axis=-1), state[..., :ESTIMATE])


def _step(block, x, state):
    """The state at twice the resolution, after the convolutions of `block`."""

    def conv(features, name, **options):
        return Conv(features, dtype=block.dtype, name=name, **options)

    x = leaky_relu(conv(block.channels, "stem")(x), slope=SLOPE)
    for index in range(block.depth):
        x = leaky_relu(conv(block.channels, f"body{index}")(x) + x, slope=SLOPE)
    zeros = nn.initializers.zeros  # untrained, the state stays as it is
    head = conv(4 * state.shape[-1], "head", kernel_init=zeros, bias_init=zeros)
    kept = jnp.repeat(state * _motion_scale(state, 2), 4, axis=-1)
    return ops.pixel_shuffle(head(x).astype(jnp.float32) + kept, 2)


def _resized(state, size):
    """The state where flow was estimated at another resolution than the frames'."""
    if size_of(state) == size:
        return state
    return ops.resize_bilinear(state, size) * _motion_scale(state, size[0] / size_of(state)[0])


def _motion_scale(state, factor):
    """What a state's channels are multiplied by where its size is."""
    return np.where(np.arange(state.shape[-1]) < 4, factor, 1).astype(np.float32)
