"""PWC-Net: optical flow from a pyramid of features, warping and cost volumes."""

import dataclasses
import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from vfi_jax import ops
from vfi_jax.arrays import Array, Flow, Image
from vfi_jax.layers.conv import Conv, ConvTranspose, leaky_relu
from vfi_jax.layers.precision import precision

FLOW_SCALE = 20.0  # flows are regressed in full-resolution pixels / 20 (Sun et al. 2018, sec. 4)
FINEST = 2  # level of the finest flow, a quarter of the resolution (ibid.)
RADIUS = 4  # of the cost volume, in pixels of its level (ibid.)
PAIR = (0, 2, 3)  # axes of a pair's statistics: frame, height, width
FLAT = 1e-6  # variance of features that show nothing
INSIDE = 0.9999  # least share of a sample that lies inside (the authors' code)
DILATIONS = (1, 2, 4, 8, 16, 1)  # of the context network (Sun et al. 2018, fig. 3)

ZEROS = nn.initializers.zeros
# As the authors' code starts (He et al. 2015, biases at zero), where PyTorch's default is smaller.
HiddenConv = functools.partial(Conv, kernel_init=nn.initializers.he_normal(), bias_init=ZEROS)
# Theirs start from noise; from no motion, systems with this part start from the frames' mean.
FlowHead = functools.partial(Conv, 2, kernel_init=ZEROS, bias_init=ZEROS)


def _doubling(key: Array, shape: tuple[int, ...]) -> Array:
    """A kernel that enlarges every channel bilinearly."""
    line = jnp.asarray([0.25, 0.75, 0.75, 0.25])
    return jnp.einsum("y,x,io->yxio", line, line, jnp.eye(shape[2], shape[3]))


# From noise, a flow of zero would be warped along as the bias points, by pixels.
UpFlow = functools.partial(ConvTranspose, 2, kernel_init=_doubling, bias_init=ZEROS)


@dataclasses.dataclass(frozen=True)
class Config:
    """PWC-Net.

    Attributes:
      features: channels of the feature pyramid, finest first; each level halves the resolution.
      dense: channels that each layer of a level's decoder adds.
      context: channels of the context network's layers, at most six.
      bgr: read blue, green, red, as the authors' weights do. DAIN's copy reads RGB.
      normalise: match a pair's features without their mean, by direction alone, after Jonschkowski
        et al. 2020 (UFlow, arXiv:2006.04902): random features are nearly all mean, and as they are
        a cost volume of them says little of motion.
      residual: a level adds to the coarser one's flow, as UFlow's does, where the authors' makes
        its own anew.
      dtype: type of the convolutions; parameters and flows stay float32.
      precision: of the convolutions, see `layers.precision`.
    """

    features: tuple[int, ...] = (16, 32, 64, 96, 128, 196)
    dense: tuple[int, ...] = (128, 128, 96, 64, 32)
    context: tuple[int, ...] = (128, 128, 128, 96, 64, 32)
    bgr: bool = True
    normalise: bool = False
    residual: bool = False
    dtype: Any = jnp.float32
    precision: str = "highest"


VARIANTS = {
    "small": Config(
        features=(8, 12, 16, 16, 16),
        dense=(12, 8),
        context=(16, 16),
        bgr=False,
        normalise=True,
        residual=True,
    )
}


class Model(nn.Module):
    """PWC-Net with dense decoders. Sun et al., CVPR 2018 (arXiv:1709.02371)."""

    config: Config = Config()

    @property
    def multiple(self) -> int:
        """Height and width must be multiples of it."""
        return 2 ** len(self.config.features)

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
          "flow": `[B, H/4, W/4, 2]` float32, in pixels of its own resolution as every flow here
          (`ops.resize_flow` brings it to full resolution); "flows": those of all levels, finest
          first, for losses.
        """
        with precision(self.config.precision):
            pyramid0, pyramid1 = self._pyramids(frame0, frame1)
            flows, coarser = [], None
            for level in range(len(self.config.features), FINEST - 1, -1):
                decoder = Decoder(self.config, level, name=f"decoder{level}")
                flow, dense, coarser = decoder(pyramid0[level - 1], pyramid1[level - 1], coarser)
                flows.append(flow)
            flows[-1] += Context(self.config, name="context")(dense)
        levels = range(len(self.config.features), FINEST - 1, -1)
        pixels = tuple(flow * _pixels(level) for level, flow in zip(levels, flows, strict=True))
        return {"flow": pixels[-1], "flows": pixels[::-1]}

    def _pyramids(self, frame0, frame1):
        """The features of both frames, finest level first."""
        x = jnp.concatenate([frame0, frame1])
        if self.config.bgr:
            x = x[..., ::-1]
        pyramid0, pyramid1 = [], []
        for level, width in enumerate(self.config.features, start=1):
            x = Level(width, self.config.dtype, name=f"features{level}")(x)
            half0, half1 = jnp.split(x, 2)
            if self.config.normalise:
                half0, half1 = _normalised(half0, half1)
            pyramid0.append(half0)
            pyramid1.append(half1)
        return pyramid0, pyramid1


class Level(nn.Module):
    """One level of the feature pyramid: half the resolution, three 3x3 convolutions."""

    features: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        for index, stride in enumerate((2, 1, 1)):
            x = HiddenConv(self.features, stride=stride, dtype=self.dtype, name=f"conv{index}")(x)
            x = leaky_relu(x)
        return x


class Decoder(nn.Module):
    """The flow of one level, in the network's unit, from features and the coarser level's flow."""

    config: Config
    level: int

    @nn.compact
    def __call__(
        self, features0: Image, features1: Image, coarser: tuple[Flow, Image] | None
    ) -> tuple[Flow, Image, tuple[Flow, Image] | None]:
        """Returns the flow, what it was decoded from, and both upsampled for the finer level."""
        dtype = self.config.dtype
        inputs: tuple[Array, ...] = ()
        if coarser is not None:
            flow, dense = coarser
            features1 = _warp(features1, flow * _pixels(self.level))
            inputs = (features0, flow, dense)
        volume = ops.cost_volume(features0, features1, radius=RADIUS)
        self.sow("intermediates", "warped", features1)
        self.sow("intermediates", "cost_volume", volume)
        x = _concatenate((leaky_relu(volume), *inputs), dtype)
        for index, width in enumerate(self.config.dense):
            new = leaky_relu(HiddenConv(width, dtype=dtype, name=f"conv{index}")(x))
            x = _concatenate((new, x), dtype)
        flow = FlowHead(name="flow")(x.astype(jnp.float32))
        if self.config.residual and coarser is not None:
            flow += coarser[0]
        # The authors' files hold this at the finest level too, where nothing reads it.
        up_flow = UpFlow(name="up_flow")(flow)
        if self.level == FINEST:
            return flow, x, None
        return flow, x, (up_flow, ConvTranspose(2, dtype=dtype, name="up_features")(x))


class Context(nn.Module):
    """What dilated convolutions add to the finest flow, in the network's unit."""

    config: Config

    @nn.compact
    def __call__(self, x: Image) -> Flow:
        for index, width in enumerate(self.config.context):
            conv = HiddenConv(
                width, dilation=DILATIONS[index], dtype=self.config.dtype, name=f"conv{index}"
            )
            x = leaky_relu(conv(x))
        return FlowHead(name="flow")(x.astype(jnp.float32))


def _normalised(features0: Image, features1: Image) -> tuple[Image, Image]:
    """Both features, float32: every channel of a pair at mean 0 and variance 1, then every pixel
    at a mean square of 1, so that their cost volume is the cosine of the angle between them."""
    pair = jnp.stack([features0, features1]).astype(jnp.float32)
    pair -= pair.mean(axis=PAIR, keepdims=True)
    pair *= lax.rsqrt(jnp.square(pair).mean(axis=PAIR, keepdims=True) + FLAT)
    pair *= lax.rsqrt(jnp.square(pair).mean(axis=-1, keepdims=True) + FLAT)
    return pair[0], pair[1]


def _pixels(level: int) -> float:
    """Pixels of a level in one unit of the network."""
    return FLOW_SCALE / 2**level


def _warp(features: Image, flow: Flow) -> Image:
    """The features where `flow` points, zero where that is outside; at zero flow the features."""
    mask = ops.inside(flow, threshold=INSIDE)
    return ops.backward_warp(features, flow) * mask.astype(features.dtype)


def _concatenate(parts: tuple[Array, ...], dtype: Any) -> Array:
    return jnp.concatenate([part.astype(dtype) for part in parts], axis=-1)
