"""MEMC-Net: motion estimation and compensation in one adaptive warping layer."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax import lookup, ops
from vfi_jax.arrays import Array, Flow, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv
from vfi_jax.layers.kernel_unet import Head, KernelUNet, bilinear
from vfi_jax.layers.precision import precision
from vfi_jax.layers.residual import ResidualBlocks, correction
from vfi_jax.layers.system import system
from vfi_jax.networks import flownet_s, spynet

TAPS = 16  # 4 x 4 adaptive filters (Bao et al. 2018, sec. 3.2)
FILL_FROM = ("left", "right", "up")  # a bug in the authors' kernel omits "down"
MEAN = 0.485  # subtracted from all three channels (the authors' code, not ImageNet's)
DEVIATION = (0.229, 0.224, 0.224)
PLAIN_LAYERS = 7  # hidden layers of the plain rectifier (the authors' code)
EDSR_BLOCKS = 10  # residual blocks of the starred rectifier (ibid.)


@dataclasses.dataclass(frozen=True)
class Config:
    """MEMC-Net.

    Attributes:
      enhance: restore the middle frame of seven instead of interpolating between two.
      flow: "flownet_s" or "spynet".
      flow_variant: variant of the flow network; "" is the paper's.
      kernel_width: channels of the kernel and occlusion networks' outputs.
      kernel_depth: number of halvings in these networks.
      double_convs: use two convolutions instead of one in most of their stages.
      batch_norm: use batch normalisation in them.
      occlusion: blend with estimated masks; otherwise average.
      context_width: channels of the context features; 0 is none.
      edsr: use residual blocks in the rectifier instead of plain layers.
      rectify_width: channels of the rectifier.
      axis_name: mapped axis whose devices share batch statistics (pmap).
      dtype: type of the convolutions; parameters, flows, masks and filters stay float32.
      precision: precision of the convolutions, see `layers.precision`.
    """

    enhance: bool = False
    flow: str = "flownet_s"
    flow_variant: str = ""
    kernel_width: int = 16
    kernel_depth: int = 5
    double_convs: bool = True
    batch_norm: bool = True
    occlusion: bool = True
    context_width: int = 0
    edsr: bool = False
    rectify_width: int = 64
    axis_name: str | None = None
    dtype: Any = jnp.float32
    precision: str = "highest"


STAR = Config(batch_norm=False, context_width=64, edsr=True, rectify_width=128)
VARIANTS = {
    "star": STAR,  # the paper's MEMC-Net*
    "s": Config(flow="spynet", double_convs=False, occlusion=False),
    "enhance": dataclasses.replace(STAR, enhance=True, occlusion=False, rectify_width=64),
    "small": Config(
        flow="spynet",
        flow_variant="small",
        kernel_width=6,
        kernel_depth=3,
        double_convs=False,
        batch_norm=False,
        rectify_width=16,
    ),
}


class Model(nn.Module):
    """MEMC-Net. Bao et al., TPAMI 2019 (arXiv:1810.08768).

    Interpolation: the bidirectional flows, halved and projected to the middle, and the filters of a
      kernel network warp both frames. Masks blend them, and a residual network rectifies the blend.

    Enhancement: super-resolution (of upsampled frames), denoising or deblocking, depending on the
      training data. From the paper: seven frames in, the middle one out; the other six are aligned
      to it by flow, filters and the same adaptive warping; a residual network takes all. The target
      frame is an input, so there is no projection and no mask. Inferred, because no code was
      released: all six neighbours share the flow, kernel and context networks of MEMC-Net*; a
      neighbour's filters are estimated from it and the middle frame; the restoration network is
      MEMC-Net*'s rectifier with 64 channels, and its output is added to the middle frame.
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        flow = _flow_network(self.config, parent=None)
        multiple = max(flow.multiple, 2**self.config.kernel_depth)  # both are powers of two
        if self.config.enhance:
            return Contract(frames=7, times=(3.0,), multiple=multiple)
        return Contract(frames=2, times=(0.5,), multiple=multiple)

    @system
    @nn.compact
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        with precision(self.config.precision):
            if self.config.enhance:
                return {"frames": self._enhance(frames, train)[:, None]}
            return self._interpolate(frames[:, 0], frames[:, 1], train)

    def _interpolate(self, frame0, frame1, train):
        config = self.config
        flow01, flow10 = jnp.split(
            self._flow(jnp.concatenate([frame0, frame1]), jnp.concatenate([frame1, frame0])), 2
        )
        flow_t0, flow_t1 = (
            ops.flow_projection(0.5 * flow, fill_holes=True, fill_from=FILL_FROM)
            for flow in (flow01, flow10)
        )
        both = jnp.concatenate([frame0, frame1], axis=-1)
        trunk = self._unet("kernels")(both, train=train)
        kernel0, kernel1 = (self._filters(f"kernel{n}")(trunk) for n in (0, 1))
        mask0, mask1 = self._masks(both, kernel0, train)
        warped0 = ops.adaptive_warp(frame0, flow_t0, kernel0)
        warped1 = ops.adaptive_warp(frame1, flow_t1, kernel1)
        share0, share1 = (mask0, mask1) if config.occlusion else (0.5, 0.5)
        blend = share0 * warped0 + share1 * warped1  # masks need not add up to 1
        seen = (blend, flow_t0, flow_t1, kernel0, kernel1, mask0, mask1)
        if config.context_width:
            context0, context1 = jnp.split(self._context(jnp.concatenate([frame0, frame1])), 2)
            warped_context0 = ops.adaptive_warp(context0, flow_t0, kernel0)
            self.sow("intermediates", "context0", warped_context0)
            seen += (warped_context0, ops.adaptive_warp(context1, flow_t1, kernel1))
        at_time = {
            "frames": blend + self._rectify(seen),
            "blend": blend,
            "warped0": warped0,
            "warped1": warped1,
            "flow_t0": flow_t0,
            "flow_t1": flow_t1,
            "mask0": mask0,
            "mask1": mask1,
        }
        shared = {"flow01": flow01, "flow10": flow10, "kernel0": kernel0, "kernel1": kernel1}
        return {**{name: value[:, None] for name, value in at_time.items()}, **shared}

    def _enhance(self, frames, train):
        batch, count, *size = frames.shape
        middle = count // 2
        near = jnp.repeat(frames[:, middle], count - 1, axis=0)
        others = jnp.delete(frames, middle, axis=1).reshape(-1, *size)
        flow = self._flow(near, others)
        trunk = self._unet("kernels")(jnp.concatenate([near, others], axis=-1), train=train)
        kernel = self._filters("kernel0")(trunk)
        aligned = [ops.adaptive_warp(others, flow, kernel)]
        seen = (frames[:, middle],)
        if self.config.context_width:
            context = self._context(jnp.concatenate([frames[:, middle], others]))
            seen += (context[:batch],)
            aligned.append(ops.adaptive_warp(context[batch:], flow, kernel))
        for maps in aligned:
            maps = maps.reshape(batch, count - 1, *maps.shape[1:])
            seen += tuple(maps[:, index] for index in range(count - 1))
        return frames[:, middle] + self._rectify(seen)

    def _flow(self, frame0: Image, frame1: Image) -> Flow:
        """Flow at full resolution."""
        if self.config.flow == "spynet":
            # The authors pass RGB to a network that expects BGR; the weights were trained that way.
            frame0, frame1 = frame0[..., ::-1], frame1[..., ::-1]
        flow = _flow_network(self.config, name="flow")(frame0, frame1)["flow"]
        height, width = frame0.shape[-3:-1]
        return ops.resize_flow(flow, (height, width), align_corners=True)

    def _unet(self, name):
        config = self.config
        # As released: every stage is normalised except the last one, or the coarsest one with
        # single convolutions.
        last, coarsest = 2 * config.kernel_depth, config.kernel_depth
        bare = last if config.double_convs else coarsest
        norms = tuple(stage for stage in range(last + 1) if stage != bare)
        return KernelUNet(
            config.kernel_width,
            config.kernel_depth,
            doubled=config.double_convs,
            norms=norms if config.batch_norm else (),
            align_corners=True,  # the only behaviour of PyTorch 0.2
            axis_name=config.axis_name,
            dtype=config.dtype,
            name=name,
        )

    def _filters(self, name):
        return Head(TAPS, self.config.dtype, bilinear, name=name)

    def _masks(self, both, kernel0, train):
        """The weights of the warped frames."""
        if not self.config.occlusion:
            # Only the rectifier uses these: the authors pass it the first tap of a filter, twice.
            return kernel0[..., :1], kernel0[..., :1]
        trunk = self._unet("occlusions")(both, train=train)
        return (0.5 + Head(1, self.config.dtype, name=f"occlusion{n}")(trunk) for n in (0, 1))

    def _context(self, frame: Image) -> Image:
        frame = (frame - MEAN) / jnp.asarray(DEVIATION)
        width, dtype = self.config.context_width, self.config.dtype
        return Conv(width, 7, use_bias=False, dtype=dtype, name="context")(frame)

    def _rectify(self, parts: tuple[Array, ...]) -> Image:
        """The residual added to the blend, float32, from all maps."""
        config = self.config
        net = EDSR if config.edsr else Plain
        x = jnp.concatenate([part.astype(config.dtype) for part in parts], axis=-1)
        return net(config.rectify_width, config.dtype, name="rectify")(x).astype(jnp.float32)


class Plain(nn.Module):
    """3x3 convolutions to a residual of three channels."""

    features: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        for index in range(PLAIN_LAYERS):
            x = nn.relu(Conv(self.features, dtype=self.dtype, name=f"conv{index}")(x))
        return correction(self.dtype, f"conv{PLAIN_LAYERS}")(x)


class EDSR(nn.Module):
    """Residual blocks to a residual of three channels, without a global skip.

    Source: Lim et al. 2017 (arXiv:1707.02921), as in MEMC-Net*.
    """

    features: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Image:
        x = Conv(self.features, dtype=self.dtype, name="head")(x)
        x = ResidualBlocks(EDSR_BLOCKS, dtype=self.dtype, name="blocks")(x)
        x = Conv(self.features, dtype=self.dtype, name="body")(x)
        return correction(self.dtype, "tail")(x)


def _flow_network(config: Config, **options: Any) -> nn.Module:
    """The flow network selected by a Config."""
    networks = {"flownet_s": flownet_s, "spynet": spynet}
    if config.flow not in networks:
        raise ValueError(lookup.unknown("flow", config.flow, networks))
    network = networks[config.flow]
    chosen = network.VARIANTS[config.flow_variant] if config.flow_variant else network.Config()
    own = {"padding": "zeros"} if config.flow == "spynet" else {}  # FlowNetS has no warp
    chosen = dataclasses.replace(chosen, dtype=config.dtype, precision=config.precision, **own)
    return network.Model(chosen, **options)
