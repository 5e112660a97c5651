"""DAIN: flows projected with near things in front, adaptive warping, residual synthesis."""

import dataclasses
from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.arrays import Array, Flow, Frames, Image, Mask, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv
from vfi_jax.layers.kernel_unet import Head, KernelUNet
from vfi_jax.layers.precision import precision
from vfi_jax.networks import megadepth, pwc_net

TAPS = 16  # 4 x 4 adaptive filters (Bao et al. 2019, sec. 3.2)
FARTHEST = 1e-6  # weight of a flow from infinitely far, 1 / depth (the authors' code)


@dataclasses.dataclass(frozen=True)
class Config:
    """DAIN.

    Attributes:
      flow: variant of `networks.pwc_net`; "" is the paper's.
      depth: variant of `networks.megadepth`; "" is the paper's.
      kernel_width: channels of the kernel network's first convolution.
      kernel_depth: how often the kernel network halves the resolution.
      context_width: channels of each of the context network's three maps.
      rectify_width: channels of the synthesis network.
      align_corners: of the bilinear upsampling of flows and in the kernel network. The authors' own
        environment (PyTorch 1.0) has False; a fork that trained anew has True.
      subtract_static_flow: take the flow from each frame to itself off its flow to the other, a
        user's cure for the drift that DAIN shows under PyTorch >= 1.3. There is no drift here to
        cure (docs/drift.md); it costs two more flows.
      dtype: type of the convolutions; parameters, flows, depths and filters stay float32.
      precision: of the convolutions, see `layers.precision`.
    """

    flow: str = ""
    depth: str = ""
    kernel_width: int = 16
    kernel_depth: int = 5
    context_width: int = 64
    rectify_width: int = 128
    align_corners: bool = False
    subtract_static_flow: bool = False
    dtype: Any = jnp.float32
    precision: str = "highest"


VARIANTS = {
    "small": Config(
        flow="small",
        depth="small",
        kernel_width=6,
        kernel_depth=3,
        context_width=4,
        rectify_width=12,
    )
}


class Pair(NamedTuple):
    """What is known of two frames before a time between them is chosen; 0 and 1 are the frames.

    Attributes:
      frame0: `[B, H, W, 3]`.
      frame1: like frame0.
      flow01: `[B, H, W, 2]` pixels.
      flow10: like flow01.
      weight0: `[B, H, W, 1]`, 1 / depth.
      weight1: like weight0.
      kernel0: `[B, H, W, 16]`, the adaptive filters.
      kernel1: like kernel0.
      context0: `[B, H, W, C]`, features and log depth.
      context1: like context0.
    """

    frame0: Image
    frame1: Image
    flow01: Flow
    flow10: Flow
    weight0: Mask
    weight1: Mask
    kernel0: Image
    kernel1: Image
    context0: Image
    context1: Image


class Model(nn.Module):
    """Depth-aware video frame interpolation. Bao et al., CVPR 2019 (arXiv:1904.00830).

    Flow, depth, context and filters are computed once for a pair of frames. Each time t projects
    the flows, warps frames and contexts with the filters and rectifies the weighted mean of the
    warped frames. Holes of a projected flow are filled in training too, where the authors' code
    leaves zeros.
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        flow = pwc_net.Model(_flow_config(self.config), parent=None)
        depth = megadepth.Model(_depth_config(self.config), parent=None)
        sizes = (flow.multiple, depth.multiple, 2**self.config.kernel_depth)
        return Contract(frames=2, times=None, multiple=max(sizes))  # all are powers of two

    @nn.compact
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        with precision(self.config.precision):
            pair = self._pair(frames[:, 0], frames[:, 1])
            # A scan: memory does not grow with the number of times.
            each_time = nn.scan(
                Between,
                variable_broadcast="params",
                variable_axes={"intermediates": 0},
                split_rngs={"params": False},
                in_axes=(nn.broadcast, 0),
                out_axes=1,
            )
            _, made = each_time(self.config, name="between")((), pair, times.T)
        shared = ("flow01", "flow10", "weight0", "weight1", "kernel0", "kernel1")
        return {**made, **{name: getattr(pair, name) for name in shared}}

    def _pair(self, frame0, frame1):
        config = self.config
        flow01, flow10 = self._flows(frame0, frame1)
        # MegaDepth keeps its statistics: they come from far more scenes than interpolation sees.
        depth = megadepth.Model(_depth_config(config), name="depth")
        log_depth = depth(jnp.concatenate([frame0, frame1]), train=False)["log_depth"]
        weight0, weight1 = jnp.split(FARTHEST + jnp.exp(-log_depth), 2)
        kernel0, kernel1 = self._kernels(frame0, frame1)
        context = ContextNet(config.context_width, config.dtype, name="context")
        features = context(jnp.concatenate([frame0, frame1]))
        features = jnp.concatenate([features, log_depth.astype(features.dtype)], axis=-1)
        context0, context1 = jnp.split(features, 2)
        return Pair(
            frame0, frame1, flow01, flow10, weight0, weight1, kernel0, kernel1, context0, context1
        )

    def _flows(self, frame0, frame1):
        """Flows in both directions, at full resolution."""
        network = pwc_net.Model(_flow_config(self.config), name="flow")
        both = jnp.concatenate([frame0, frame1])
        flow = network(both, jnp.concatenate([frame1, frame0]))["flow"]
        if self.config.subtract_static_flow:
            flow -= network(both, both)["flow"]
        shape = frame0.shape[-3:-1]
        return jnp.split(ops.resize_flow(flow, shape, align_corners=self.config.align_corners), 2)

    def _kernels(self, frame0, frame1):
        config = self.config
        unet = KernelUNet(
            config.kernel_width,
            config.kernel_depth,
            align_corners=config.align_corners,
            dtype=config.dtype,
            name="kernels",
        )
        trunk = unet(jnp.concatenate([frame0, frame1], axis=-1))
        return (Head(TAPS, config.dtype, name=f"kernel{index}")(trunk) for index in (0, 1))


class Between(nn.Module):
    """The frame at one time between a pair: a step of a scan, which carries nothing."""

    config: Config

    @nn.compact
    def __call__(self, carry: tuple, pair: Pair, time: Array) -> tuple[tuple, dict]:
        time = time[:, None, None, None]
        flow_t0 = ops.depth_flow_projection(pair.flow01 * time, pair.weight0, fill_holes=True)
        flow_t1 = ops.depth_flow_projection(pair.flow10 * (1 - time), pair.weight1, fill_holes=True)
        warped0 = ops.adaptive_warp(pair.frame0, flow_t0, pair.kernel0)
        warped1 = ops.adaptive_warp(pair.frame1, flow_t1, pair.kernel1)
        context0 = ops.adaptive_warp(pair.context0, flow_t0, pair.kernel0)
        context1 = ops.adaptive_warp(pair.context1, flow_t1, pair.kernel1)
        blend = (1 - time) * warped0 + time * warped1
        self.sow("intermediates", "context0", context0)
        seen = (blend, warped0, warped1, flow_t0, flow_t1, pair.kernel0, pair.kernel1)
        seen += (warped0, context0, warped1, context1)
        rectify = RectifyNet(self.config.rectify_width, self.config.dtype, name="rectify")
        return carry, {
            "frames": blend + rectify(seen),
            "blend": blend,
            "warped0": warped0,
            "warped1": warped1,
            "flow_t0": flow_t0,
            "flow_t1": flow_t1,
        }


class ContextNet(nn.Module):
    """Three maps of features of a frame, of growing reach."""

    features: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        conv = Conv(self.features, 7, use_bias=False, dtype=self.dtype, name="conv0")
        maps = [nn.relu(conv(x))]
        for number, dilation in ((1, 4), (2, 8)):
            block = ResidualBlock(self.features, dilation, self.dtype, name=f"block{number}")
            maps.append(block(maps[-1]))
        return jnp.concatenate(maps, axis=-1)


class RectifyNet(nn.Module):
    """What is added to the blend, float32, from all maps that it is made of."""

    features: int
    dtype: Any

    @nn.compact
    def __call__(self, parts: tuple[Array, ...]) -> Image:
        x = jnp.concatenate([part.astype(self.dtype) for part in parts], axis=-1)
        x = nn.relu(Conv(self.features, 7, dtype=self.dtype, name="conv0")(x))
        for number in (1, 2, 3):
            x = ResidualBlock(self.features, 1, self.dtype, name=f"block{number}")(x)
        return Conv(3, dtype=self.dtype, name="conv1")(x).astype(jnp.float32)


class ResidualBlock(nn.Module):
    """relu(x + conv(relu(conv(x)))), without biases; the first convolution may be dilated."""

    features: int
    dilation: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        first = Conv(
            self.features, dilation=self.dilation, use_bias=False, dtype=self.dtype, name="conv0"
        )
        second = Conv(self.features, use_bias=False, dtype=self.dtype, name="conv1")
        return nn.relu(x + second(nn.relu(first(x))))


def _flow_config(config: Config) -> pwc_net.Config:
    network = pwc_net.VARIANTS[config.flow] if config.flow else pwc_net.Config(bgr=False)
    return dataclasses.replace(network, dtype=config.dtype, precision=config.precision)


def _depth_config(config: Config) -> megadepth.Config:
    network = megadepth.VARIANTS[config.depth] if config.depth else megadepth.Config()
    return dataclasses.replace(network, dtype=config.dtype, precision=config.precision)
