"""DAIN: depth-aware flow projection, adaptive warping, residual synthesis."""

import dataclasses
from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jax import lax

from vfi_jax import ops
from vfi_jax.arrays import Array, Flow, Frames, Image, Mask, Times, varying_alike
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, convolve, uniform_fan_in
from vfi_jax.layers.kernel_unet import Head, KernelUNet, bilinear
from vfi_jax.layers.precision import precision
from vfi_jax.layers.residual import ResidualBlock, ResidualBlocks, correction
from vfi_jax.layers.scan import scan_shared
from vfi_jax.layers.system import system
from vfi_jax.networks import megadepth, pwc_net

TAPS = 16  # 4 x 4 adaptive filters (Bao et al. 2019, sec. 3.2)
MAPS = 3 * 3 + 2 * 2 + 2 * TAPS  # channels of the blend, warped frames, flows and filters
REACH = 7  # pixels: the synthesis network's first kernel (ibid.)
FARTHEST = 1e-6  # minimum of the weight 1 / depth (the authors' code)


@dataclasses.dataclass(frozen=True)
class Config:
    """DAIN.

    Attributes:
      flow: variant of `networks.pwc_net`; "" is the paper's.
      depth: variant of `networks.megadepth`; "" is the paper's.
      kernel_width: channels of the kernel network's first convolution.
      kernel_depth: number of halvings in the kernel network.
      context_width: channels of each of the context network's three maps.
      rectify_width: channels of the synthesis network.
      align_corners: option of bilinear upsampling of flows and in the kernel network. False in the
        authors' environment (PyTorch 1.0); True in a retrained fork.
      subtract_static_flow: subtract the flow from each frame to itself from its flow to the other
        frame, a user's workaround for the drift of DAIN under PyTorch >= 1.3. This implementation
        has no drift (docs/drift.md); the option costs two more flow estimations.
      dtype: type of the convolutions; parameters, flows, depths and filters stay float32.
      precision: precision of the convolutions, see `layers.precision`.
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


class Views(NamedTuple):
    """Everything about both frames that does not depend on the time.

    The first axis is the frame, 0 or 1.

    Attributes:
      flow: `[2, B, H, W, 2]` pixels, to the other frame.
      weight: `[2, B, H, W, 1]`, 1 / depth.
      kernel: `[2, B, H, W, 16]`, the adaptive filters.
      context: `[2, B, H, W, C]`, the frame, features and log depth.
    """

    flow: Flow
    weight: Mask
    kernel: Image
    context: Image


class Model(nn.Module):
    """Depth-aware video frame interpolation. Bao et al., CVPR 2019 (arXiv:1904.00830).

    Flow, depth, context and filters are computed once per pair of frames. For each time t the flows
    are projected, frames and contexts are warped with the filters, and the weighted mean of the
    warped frames is rectified. Holes of a projected flow are filled in training too, where the
    authors' code leaves zeros.
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        flow = pwc_net.Model(_flow_config(self.config), parent=None)
        depth = megadepth.Model(_depth_config(self.config), parent=None)
        sizes = (flow.multiple, depth.multiple, 2**self.config.kernel_depth)
        return Contract(frames=2, times=None, multiple=max(sizes))  # all are powers of two

    @system
    @nn.compact
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        with precision(self.config.precision):
            views = self._views(frames)
            # A scan, so that memory does not grow with the number of times.
            each_time = scan_shared(Between, self, in_axes=(nn.broadcast, 0))
            _, between = each_time(self.config, name="between")((), views, times.T)
        parts = {"flow01": 0, "flow10": 1, "weight0": 0, "weight1": 1, "kernel0": 0, "kernel1": 1}
        return {
            **between,
            **{name: getattr(views, name.rstrip("01"))[frame] for name, frame in parts.items()},
        }

    def _views(self, frames):
        config = self.config
        both = jnp.moveaxis(frames, 1, 0)
        stacked = both.reshape(-1, *both.shape[2:])
        depth = megadepth.Model(_depth_config(config), name="depth")
        # MegaDepth keeps its running statistics, which come from a much larger variety of scenes.
        log_depth = depth(stacked, train=False)["log_depth"]
        features = ContextNet(config.context_width, config.dtype, name="context")(stacked)
        context = jnp.concatenate([stacked, *features, log_depth], axis=-1, dtype=jnp.float32)
        return Views(
            self._flows(stacked).reshape(*both.shape[:-1], 2),
            (FARTHEST + jnp.exp(-log_depth)).reshape(*both.shape[:-1], 1),
            self._kernels(*both),
            context.reshape(*both.shape[:-1], -1),
        )

    def _flows(self, both):
        """Flow from each frame to the other, at full resolution."""
        network = pwc_net.Model(_flow_config(self.config), name="flow")
        flow = network(both, jnp.roll(both, len(both) // 2, axis=0))["flow"]
        if self.config.subtract_static_flow:
            flow -= network(both, both)["flow"]
        height, width = both.shape[-3:-1]
        return ops.resize_flow(flow, (height, width), align_corners=self.config.align_corners)

    def _kernels(self, frame0, frame1):
        """The filters of both frames."""
        config = self.config
        unet = KernelUNet(
            config.kernel_width,
            config.kernel_depth,
            align_corners=config.align_corners,
            dtype=config.dtype,
            name="kernels",
        )
        trunk = unet(jnp.concatenate([frame0, frame1], axis=-1))
        heads = (Head(TAPS, config.dtype, bilinear, name=f"kernel{index}") for index in (0, 1))
        return jnp.stack([head(trunk) for head in heads])


class Between(nn.Module):
    """The frame at one time: a scan step with an empty carry."""

    config: Config

    @nn.compact
    def __call__(self, carry: tuple, views: Views, time: Array) -> tuple[tuple, dict[str, Array]]:
        width, dtype = self.config.rectify_width, self.config.dtype
        channels = (MAPS, *[views.context.shape[-1]] * 2)
        pieces, bias = FirstConv(width, channels, name="first")()
        times = jnp.stack([time, 1 - time])[..., None, None, None]  # distance to each frame

        # One frame at a time: each warped context, the largest array of the system, is convolved
        # immediately, so that both are never in memory together.
        def see(total, side):
            view, time, piece = side
            flow = ops.depth_flow_projection(view.flow * time, view.weight, fill_holes=True)
            context = ops.adaptive_warp(view.context, flow, view.kernel)
            return total + _first(context, piece, dtype), (flow, context[..., :3])

        total = jnp.zeros((*views.context.shape[1:-1], width), dtype) + bias.astype(dtype)
        total, _ = varying_alike(total, views.context)
        total, (flow, warped) = lax.scan(see, total, (views, times, jnp.stack(pieces[1:])))
        blend = ((1 - times) * warped).sum(axis=0)
        maps = jnp.concatenate([blend, *warped, *flow, *views.kernel], axis=-1)
        x = nn.relu(total + _first(maps, pieces[0], dtype))
        return carry, {
            "frames": blend + RectifyNet(dtype, name="rectify")(x),
            "blend": blend,
            "warped0": warped[0],
            "warped1": warped[1],
            "flow_t0": flow[0],
            "flow_t1": flow[1],
        }


class ContextNet(nn.Module):
    """Three feature maps of a frame with increasing receptive fields."""

    features: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> list[Image]:
        conv = Conv(self.features, 7, use_bias=False, dtype=self.dtype, name="conv0")
        maps = [nn.relu(conv(x))]
        for number, dilation in ((1, 4), (2, 8)):
            block = ResidualBlock(dilation, False, True, self.dtype, name=f"block{number}")
            maps.append(block(maps[-1]))
        return maps


class FirstConv(nn.Module):
    """The synthesis network's first kernel, split by `channels` of its inputs, and its bias."""

    features: int
    channels: tuple[int, ...]

    @nn.compact
    def __call__(self) -> tuple[list[Array], Array]:
        shape = (REACH, REACH, sum(self.channels), self.features)
        kernel = self.param("kernel", uniform_fan_in, shape)
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        return jnp.split(kernel, np.cumsum(self.channels)[:-1], axis=-2), bias


class RectifyNet(nn.Module):
    """The rest of the synthesis network: the residual added to the blend, float32."""

    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        blocks = ResidualBlocks(3, use_bias=False, last_relu=True, dtype=self.dtype, name="blocks")
        return correction(self.dtype, "last")(blocks(x)).astype(jnp.float32)


def _first(x: Image, kernel: Array, dtype: Any) -> Image:
    x, kernel = x.astype(dtype), kernel.astype(dtype)
    return convolve(x, kernel, stride=1, padding=REACH // 2, dilation=1)


def _flow_config(config: Config) -> pwc_net.Config:
    network = pwc_net.VARIANTS[config.flow] if config.flow else pwc_net.Config(bgr=False)
    return dataclasses.replace(network, dtype=config.dtype, precision=config.precision)


def _depth_config(config: Config) -> megadepth.Config:
    network = megadepth.VARIANTS[config.depth] if config.depth else megadepth.Config()
    return dataclasses.replace(network, dtype=config.dtype, precision=config.precision)
