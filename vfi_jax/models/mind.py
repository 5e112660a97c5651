"""MIND: a network that interpolates, and that matches images when it is run backwards."""

import dataclasses
import functools
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax.arrays import Array, Frames, Image, Times
from vfi_jax.contract import Contract
from vfi_jax.layers.conv import Conv, ConvTranspose, PReLU, max_pool
from vfi_jax.layers.precision import precision


@dataclasses.dataclass(frozen=True)
class Config:
    """MIND.

    Attributes:
      widths: channels of the encoder's blocks, finest first; the decoder mirrors them.
      skips: encoder blocks (from 1) whose pooled output joins the decoder.
      dtype: type of the convolutions; parameters stay float32.
      precision: of the convolutions, see `layers.precision`.
    """

    widths: tuple[int, ...] = (96, 96, 128, 128, 128)
    skips: tuple[int, ...] = (2, 3, 4)
    dtype: Any = jnp.float32
    precision: str = "highest"


VARIANTS = {"small": Config(widths=(16, 24, 32, 32), skips=(1, 2, 3))}


class Model(nn.Module):
    """Learning image matching by simply watching video. Long et al., ECCV 2016 (arXiv:1603.06041).

    """

    config: Config = Config()

    @property
    def contract(self) -> Contract:
        return Contract(frames=2, times=(0.5,), multiple=2 ** len(self.config.widths))

    @nn.compact
    def __call__(
        self, frames: Frames, times: Times, *, targets: Frames | None = None, train: bool = False
    ) -> dict:
        config = self.config
        x = jnp.concatenate([frames[:, 0], frames[:, 1]], axis=-1)
        levels = list(enumerate(config.widths, start=1))
        pooled = {}
        with precision(config.precision):
            for level, width in levels:
                x = Block(width, config.dtype, name=f"encoder{level}")(x)
                x = pooled[level] = max_pool(x)
            for level, width in reversed(levels):
                if level in config.skips:
                    x = jnp.concatenate([pooled[level], x], axis=-1)
                x = Block(width, config.dtype, grow=True, name=f"decoder{level}")(x)
            x = Conv(3, 1, dtype=config.dtype, name="output")(x)
        return {"frames": x.astype(jnp.float32)[:, None]}


class Block(nn.Module):
    """Three convolutions, each with a PReLU; growing, the first doubles the size."""

    features: int
    dtype: Any
    grow: bool = False

    @nn.compact
    def __call__(self, x: Image) -> Image:
        for index in (1, 2, 3):
            layer = ConvTranspose if self.grow and index == 1 else Conv
            x = layer(self.features, dtype=self.dtype, name=f"conv{index}")(x)
            x = PReLU(name=f"prelu{index}")(x)
        return x


class Matches(NamedTuple):
    """Pixels of two frames that show the same thing, K of them.

    Attributes:
      points: `[K, 2]` whole pixels (x, y) of the middle frame that the matches were asked at.
      points0: `[K, 2]` float32 (x, y) in frame 0.
      points1: `[K, 2]` float32 (x, y) in frame 1.
      confidence: `[K]` float32, 0 .. 1.
    """

    points: np.ndarray
    points0: np.ndarray
    points1: np.ndarray
    confidence: np.ndarray


def match(model, variables, frame0, frame1, *, points=None, grid=8, reach=16, memory=2**30):
    frames = jnp.stack([frame0, frame1])
    height, width = frame0.shape[:2]
    if points is None:
        points = grid_points(height, width, grid)
    points = np.asarray(points)
    passes = _passes(points, (height, width), reach)
    widest = max(model.config.widths)
    chunk = max(1, int(memory // (16 * height * width * model.config.widths[0])))
    members = np.full((len(passes), max(map(len, passes)), 2), (width, height), np.int32)
    for row, index in zip(members, passes):
        row[: len(index)] = points[index]
    found, mass = _strongest(model, variables, frames, members, reach, chunk)
    order = np.concatenate(passes)
    valid = members[..., 0] < width
    at = np.empty((len(points), 2, 2), np.float32)
    share = np.empty((len(points), 2), np.float32)
    at[order] = np.asarray(found)[valid]
    share[order] = np.asarray(mass)[valid]
    return points, at, share


def grid_points(height, width, grid):
    ys = np.arange(grid // 2, height, grid)
    xs = np.arange(grid // 2, width, grid)
    return np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)


def _passes(points, shape, reach):
    blocked = []
    passes = []
    apart = 2 * reach
    for index, (x, y) in enumerate(points):
        for taken, members in zip(blocked, passes):
            if not taken[y, x]:
                break
        else:
            taken, members = np.zeros(shape, bool), []
            blocked.append(taken); passes.append(members)
        members.append(index)
        taken[max(y - apart, 0) : y + apart + 1, max(x - apart, 0) : x + apart + 1] = True
    return passes


@functools.partial(jax.jit, static_argnames=("model", "reach", "chunk"))
def _strongest(model, variables, frames, members, reach, chunk):
    height, width = frames.shape[1:3]
    m = model.contract.multiple
    def interpolate(frames):
        pad = ((0, 0), (0, -height % m), (0, -width % m), (0, 0))
        padded = jnp.pad(frames, pad, mode="edge")
        return model.apply(variables, padded[None], jnp.full((1, 1), 0.5))["frames"][0, 0, :height, :width]
    frame_t, pull = jax.vjp(interpolate, frames)
    def one(points):
        seed = jnp.zeros_like(frame_t).at[points[:, 1], points[:, 0]].set(1, mode="drop")
        response = jnp.abs(pull(seed)[0]) @ jnp.ones(3)
        return jax.vmap(lambda point: jax.vmap(lambda r: _locate(r, point, reach))(response))(points)
    return jax.lax.map(one, jnp.asarray(members), batch_size=chunk)


def _locate(response, point, reach, radius=2):
    size = jnp.array(response.shape)
    shape = tuple(min(2 * reach + 1, s) for s in response.shape)
    y0 = jnp.clip(point[1] - reach, 0, response.shape[0] - shape[0])
    x0 = jnp.clip(point[0] - reach, 0, response.shape[1] - shape[1])
    window = jax.lax.dynamic_slice(response, (y0, x0), shape)
    y, x = jnp.mgrid[: shape[0], : shape[1]]
    y, x = y + y0, x + x0
    window = jnp.where((abs(y - point[1]) <= reach) & (abs(x - point[0]) <= reach), window, 0)
    k = window.argmax()
    py, px = y.reshape(-1)[k], x.reshape(-1)[k]
    total = window.sum()
    near = window * ((abs(y - py) <= radius) & (abs(x - px) <= radius))
    mass = near.sum()
    return jnp.array([(near * x).sum(), (near * y).sum()]) / mass, mass / total
