"""SepConv++: SepConv with normalised kernels, delayed padding and a residual column."""

import dataclasses
import functools
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, PReLU, upsample
from vfi_jax.layers.grid import PreactivatedBlock
from vfi_jax.layers.norm import standardised
from vfi_jax.layers.precision import precision
from vfi_jax.layers.separable import filtered, kernel_conv, kernels
from vfi_jax.layers.system import system

NO_WEIGHT = 0.01  # kernels with a smaller absolute sum are not normalised


@dataclasses.dataclass(frozen=True)
class Config:
    """SepConv++.

    Attributes:
      taps: length of each 1-D kernel, in pixels; odd.
      widths: channels of the column's rows, finest first; each halves the resolution.
      dtype: type of the convolutions; parameters, kernels and frames stay float32.
      precision: precision of the convolutions, see `layers.precision`.
    """

    taps: int = 51
    widths: tuple[int, ...] = (32, 64, 128, 256, 512)
    dtype: Any = jnp.float32
    precision: str = "highest"


VARIANTS: dict[str, Config] = {}


class Model(nn.Module):
    """Revisited adaptive convolution. Niklaus, Mai and Wang, WACV 2021 (arXiv:2011.01280).

    frame_t = (conv(frame0, vertical1, horizontal1) + conv(frame1, vertical2, horizontal2)) / weight

    with kernels per output pixel, and weight their result on frames of ones; where it is nearly 0
    there is no division. Kernels are predicted from frames standardised jointly to mean 0 and
    variance 1. The filtered frames are not standardised, and only they are padded by the kernels'
    reach (the paper's delayed padding). The network accepts any size; the authors' caller uses even
    sizes.

    The output contains the kernel pairs "kernels1" and "kernels2", and "weight" `[B, H, W, 1]`.
    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        return Contract(frames=2, times=(0.5,), multiple=2)

    @system
    @nn.compact
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        config = self.config
        ones = jnp.ones_like(frames[:, 0, ..., :1])
        with precision(config.precision):
            features = self._features(standardised(frames)[0])
            head = functools.partial(Head, config.widths[1], config.taps, config.dtype)
            kernels1, kernels2 = kernels(head, features, 1), kernels(head, features, 2)
            filtered_pair = [
                filtered(jnp.concatenate([frames[:, index], ones], axis=-1), *own)
                for index, own in enumerate((kernels1, kernels2))
            ]
        total = filtered_pair[0] + filtered_pair[1]
        weight = total[..., 3:]
        frame_t = total[..., :3] / jnp.where(jnp.abs(weight) < NO_WEIGHT, 1, weight)
        return {
            "frames": frame_t[:, None],
            "kernels1": kernels1,
            "kernels2": kernels2,
            "weight": weight,
        }

    def _features(self, frames):
        """`[B, H/2, W/2, widths[1]]` of standardised frames `[B, 2, H, W, 3]`."""
        config = self.config
        first = Conv(config.widths[0] // 2, dtype=config.dtype, name="input")
        # The published weights expect BGR; both frames share the first convolution.
        rows = [jnp.concatenate([first(frames[:, index, ..., ::-1]) for index in (0, 1)], axis=-1)]
        for row in range(1, len(config.widths)):
            rows.append(self._block(row, f"down{row}", stride=2)(rows[-1]))
        x = None
        for row in range(len(config.widths) - 1, 0, -1):
            here = rows[row] + self._block(row, f"lateral{row}")(rows[row])
            if x is not None:
                step = self._block(row, f"up{row}", double=True)(x)
                here += step[:, : here.shape[1], : here.shape[2]]  # for odd sizes
            x = here
        return x

    def _block(self, row, name, **options):
        config = self.config
        return PreactivatedBlock(
            config.widths[row],
            dtype=config.dtype,
            use_bias=True,
            one_slope=True,
            name=name,
            **options,
        )


class Head(nn.Module):
    """The 1-D kernels of every pixel, float32 `[B, H, W, taps]`, from half-resolution features."""

    features: int
    taps: int
    dtype: Any

    @nn.compact
    def __call__(self, x: Image) -> Array:
        x = Conv(self.features, dtype=self.dtype, name="conv0")(upsample(x))
        last = kernel_conv(self.taps, self.dtype, "conv1")
        return last(PReLU(shared=True, name="prelu")(x)).astype(jnp.float32)
