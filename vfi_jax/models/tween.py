"""Tween: the default. Small, quick to compile and to run, any time."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jax import lax

from vfi_jax import ops
from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, leaky_relu, repeat_pixels
from vfi_jax.layers.intermediate_flow import (
    apart,
    check_flow_scale,
    multiple_at,
    plane,
    shrunk,
    side_by_side,
    size_of,
    warp_pair,
)
from vfi_jax.layers.precision import precision
from vfi_jax.layers.scan import scan_shared

SLOPE = 0.1  # of every leaky ReLU
AT_A_FRAME = 1e-3  # a time nearer to 0 or 1 has the logit of this one, which is finite
SHARPNESS = 10.0  # of the softmax over similarities in -1 .. 1, before training
FAINT = 1e-3  # mean square of features that counts as no texture


@dataclasses.dataclass(frozen=True)
class Config:
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


VARIANTS: dict[str, Config] = {}


class Model(nn.Module):
    config: Config = Config()

    @property
    def contract(self) -> Contract:
        coarsest = 2 ** len(self.config.encoder)
        return Contract(frames=2, times=None, multiple=multiple_at(self.config.flow_scale, coarsest))

    def setup(self):
        c = self.config
        self.encode = Encoder(c.encoder, c.dtype)
        self.blocks = [
            Block(channels, depth, radius, c.dtype)
            for channels, depth, radius in zip(c.channels, c.depths, c.radii, strict=True)
        ]
        self.last = Last(*c.last, c.dtype)

    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        with precision(self.config.precision):
            frames = jnp.clip(frames, 0, 1).swapaxes(0, 1)
            small = shrunk(frames, 1 / self.config.flow_scale) if self.config.flow_scale != 1 else frames
            features = self.encode(small)
            each_time = scan_shared(Model._at, self, in_axes=(nn.broadcast, nn.broadcast, 1))
            return each_time(self, None, frames, features, times)[1]

    def _at(self, carry: None, pair: Image, features, time: Array):
        share = jnp.stack([-time, 1 - time])[..., None, None, None]
        inside = jnp.clip(time, AT_A_FRAME, 1 - AT_A_FRAME)
        prior = jnp.log((1 - inside) / inside)[:, None, None, None]
        known = jnp.zeros((*features[-1].shape[1:-1], 5 + self.config.carried))
        flows, logits = [], []
        for block, pair_features in zip(self.blocks, reversed(features[1:]), strict=True):
            warped = warp(pair_features, share * motion(known)) if flows else pair_features
            known = block(warped, known, time)
            flows.append(share * motion(known))
            logits.append(prior + known[..., 4:5])
        warped = warp(pair, share * motion(repeat_pixels(known[..., :4] * 2)))
        known = self.last(warped, known, time)
        flow, logit = share * motion(known), prior + known[..., 4:]
        warped = warp(pair, flow)
        weight = nn.sigmoid(logit)
        out = weight * warped[0] + (1 - weight) * warped[1]
        return carry, {"frames": out, "flows": (*flows, flow), "logits": (*logits, logit)}


def motion(known):
    return jnp.stack([known[..., :2], known[..., 2:4]])


def warp(pair, flow):
    return lax.map(lambda p: ops.backward_warp(*p, padding="border"), (pair, flow))


def beside(pair):
    return jnp.concatenate([pair[0], pair[1]], axis=-1)


def doubled(step, known):
    scale = np.ones(known.shape[-1], np.float32)
    scale[:4] = 2
    return ops.pixel_shuffle(step.astype(jnp.float32) + jnp.repeat(known * scale, 4, axis=-1), 2)


class Encoder(nn.Module):
    channels: tuple[int, ...]
    dtype: Any

    @nn.compact
    def __call__(self, frames: Image):
        x = frames.reshape(-1, *frames.shape[2:]) - 0.5
        out = []
        for level, width in enumerate(self.channels):
            x = leaky_relu(Conv(width, stride=2, dtype=self.dtype, name=f"down{level}")(x), slope=SLOPE)
            if level:
                x = leaky_relu(Conv(width, dtype=self.dtype, name=f"conv{level}")(x), slope=SLOPE)
            out.append(x.astype(jnp.float32).reshape(*frames.shape[:2], *x.shape[1:]))
        return tuple(out)


class Block(nn.Module):
    channels: int
    depth: int
    radius: int
    dtype: Any

    @nn.compact
    def __call__(self, warped: Image, known: Array, time: Array) -> Image:
        inputs = [warped[0], warped[1], known, *plane(time, known)]
        if self.radius:
            unit = _of_unit_power(warped)
            similar = ops.cost_volume(unit[0], unit[1], radius=self.radius)
            sharpness = self.param("sharpness", nn.initializers.constant(SHARPNESS), ())
            match = nn.softmax(sharpness * similar) @ _displacements(self.radius)
            inputs += [similar, match]
        x = jnp.concatenate(inputs, axis=-1)
        x = leaky_relu(Conv(self.channels, dtype=self.dtype, name="stem")(x), slope=SLOPE)
        for index in range(self.depth):
            x = leaky_relu(Conv(self.channels, dtype=self.dtype, name=f"body{index}")(x) + x, slope=SLOPE)
        return doubled(Conv(4 * known.shape[-1], dtype=self.dtype, name="head")(x), known)


class Last(nn.Module):
    channels: int
    depth: int
    dtype: Any

    @nn.compact
    def __call__(self, warped, known, time) -> Image:
        pixels = ops.pixel_unshuffle(warped, 2)
        x = jnp.concatenate([pixels[0], pixels[1], known, *plane(time, known)], axis=-1)
        x = leaky_relu(Conv(self.channels, dtype=self.dtype, name="stem")(x), slope=SLOPE)
        for index in range(self.depth):
            x = leaky_relu(Conv(self.channels, dtype=self.dtype, name=f"body{index}")(x) + x, slope=SLOPE)
        return doubled(Conv(20, dtype=self.dtype, name="head")(x), known[..., :5])


def _of_unit_power(x):
    power = jnp.square(x) @ jnp.full((x.shape[-1], 1), 1 / x.shape[-1])
    return x / jnp.sqrt(power + FAINT)


def _displacements(radius):
    reach = np.arange(-radius, radius + 1, dtype=np.float32)
    y, x = np.meshgrid(reach, reach, indexing="ij")
    return np.stack([x.reshape(-1), y.reshape(-1)], axis=-1)
