"""PWC-Net: optical flow from a feature pyramid, warping and cost volumes."""

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
RADIUS = 4  # radius of the cost volume, in pixels of its level (ibid.)
PAIR = (0, 2, 3)  # axes of the statistics of a pair: frame, height, width
FLAT = 1e-6  # added to variances, for constant features
INSIDE = 0.9999  # minimum share of a sample inside the image (the authors' code)
DILATIONS = (1, 2, 4, 8, 16, 1)  # of the context network (Sun et al. 2018, fig. 3)

ZEROS = nn.initializers.zeros
# Initialisation of the authors' code (He et al. 2015, biases at zero); PyTorch's default is
# smaller.
HiddenConv = functools.partial(Conv, kernel_init=nn.initializers.he_normal(), bias_init=ZEROS)
# The authors start from random flow. With zero flow, systems start from the mean of the frames.
FlowHead = functools.partial(Conv, 2, kernel_init=ZEROS, bias_init=ZEROS)


def _doubling(key: Array, shape: tuple[int, ...]) -> Array:
    """A kernel that enlarges every channel bilinearly."""
    line = jnp.asarray([0.25, 0.75, 0.75, 0.25])
    return jnp.einsum("y,x,io->yxio", line, line, jnp.eye(shape[2], shape[3]))


# With a random initialisation, upsampling would turn a zero flow into shifts of several pixels.
UpFlow = functools.partial(ConvTranspose, 2, kernel_init=_doubling, bias_init=ZEROS)


@dataclasses.dataclass(frozen=True)
class Config:
    """PWC-Net.

    Attributes:
      features: channels of the feature pyramid, finest first; each level halves the resolution.
      dense: channels added by each layer of a level's dense decoder.
      context: channels of the layers of the context network, at most six.
      bgr: convert the input to BGR, as the authors' weights expect. DAIN's copy expects RGB.
      normalise: remove the mean of a pair's features and normalise their length before matching,
        after Jonschkowski et al. 2020 (UFlow, arXiv:2006.04902). Untrained features consist mostly
        of their mean, so a raw cost volume carries little motion information.
      residual: each level adds to the flow of the coarser level, as in UFlow; otherwise it predicts
        the whole flow, as in the authors' code.
      dtype: type of the convolutions; parameters and flows stay float32.
      precision: precision of the convolutions, see `layers.precision`.
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
          "flow": `[B, H/4, W/4, 2]` float32, in pixels of its own resolution (resize with
            `ops.resize_flow`); "flows": the flows of all levels, finest first, for losses.
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
    """The flow of one level, in the network's units, from features and the coarser level's flow."""

    config: Config
    level: int

    @nn.compact
    def __call__(
        self, features0: Image, features1: Image, coarser: tuple[Flow, Image] | None
    ) -> tuple[Flow, Image, tuple[Flow, Image] | None]:
        """Returns the flow, the features it was decoded from, and both upsampled by 2."""
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
        # The authors' files contain this for the finest level too, where it is unused.
        up_flow = UpFlow(name="up_flow")(flow)
        if self.level == FINEST:
            return flow, x, None
        return flow, x, (up_flow, ConvTranspose(2, dtype=dtype, name="up_features")(x))


class Context(nn.Module):
    """Correction of the finest flow by dilated convolutions, in the network's units."""

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
    """Both features in float32, normalised to mean 0 and variance 1 per channel of a pair, then to
    mean square 1 per pixel, so that their cost volume is the cosine similarity."""
    pair = jnp.stack([features0, features1]).astype(jnp.float32)
    pair -= pair.mean(axis=PAIR, keepdims=True)
    pair *= lax.rsqrt(jnp.square(pair).mean(axis=PAIR, keepdims=True) + FLAT)
    pair *= lax.rsqrt(jnp.square(pair).mean(axis=-1, keepdims=True) + FLAT)
    return pair[0], pair[1]


def _pixels(level: int) -> float:
    """Pixels of a level in one unit of the network."""
    return FLOW_SCALE / 2**level


def _warp(features: Image, flow: Flow) -> Image:
    """The features warped by `flow`, 0 outside; unchanged for zero flow."""
    mask = ops.inside(flow, threshold=INSIDE)
    return ops.backward_warp(features, flow) * mask.astype(features.dtype)


def _concatenate(parts: tuple[Array, ...], dtype: Any) -> Array:
    return jnp.concatenate([part.astype(dtype) for part in parts], axis=-1)
