"""Blend: the time-weighted average of both frames, a baseline."""

import dataclasses

import flax.linen as nn
import jax.numpy as jnp

from vfi_jax.arrays import Frames, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.system import system


@dataclasses.dataclass(frozen=True)
class Config:
    """Blend has no options."""


VARIANTS: dict[str, Config] = {}


class Model(nn.Module):
    """(1 - t) frame0 + t frame1; no variables."""

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        return Contract(frames=2, times=None, symmetric=True)

    @system
    @nn.compact
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        weight = times[:, :, None, None, None]
        frame0, frame1 = frames[:, None, 0], frames[:, None, 1]
        return {"frames": jnp.asarray((1 - weight) * frame0 + weight * frame1)}
