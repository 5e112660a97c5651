"""Collages: moving cut-outs of real frames, with real textures and known motion."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.ndimage import map_coordinates

from vfi_jax.arrays import Array, Image

SPEEDS = (0.5, 24.0)  # pixels from time 0 to 1, relative to the background's share
STRIDES = (1.0, 1.8)  # image pixels per frame pixel; at least 1 avoids blurry upsampling
AFFINE = 0.03  # standard deviation of the affine terms of the displacement
BENDS = 2  # number of displacement waves
BEND_LENGTHS = (40.0, 300.0)  # pixels per wave
BEND_SLOPE = 0.08  # maximum slope of a wave's displacement; keeps the map invertible
OUTLINES = 4  # number of waves whose sum defines a cut-out
OUTLINE_LENGTHS = (24.0, 240.0)
RARITY = (0.3, 1.8)  # threshold of that sum, in standard deviations
SOFTNESS = (0.5, 1.5)  # width of the edge in pixels
STEPS = 3  # fixed-point iterations; each leaves at most 1/20 of the error
SAMPLES = 2  # per pixel and axis


class Collage(NamedTuple):
    """A rendered collage.

    Attributes:
      frames: `[2, H, W, 3]` float32, multiples of 1/255 in [0, 1], at times 0 and 1.
      targets: `[N, H, W, 3]`, frames at the requested times.
      motion: `[N, H, W, 2]`, motion of a target's pixels from time 0 to 1, in pixels.
    """

    frames: Image
    targets: Image
    motion: Array


def collage(
    key: Array, images: Array, sizes: Array, times: Array, shape: tuple[int, int]
) -> Collage:
    """Render images as moving layers that occlude one another.

    Every point of a layer has a constant velocity, which varies smoothly over the layer:
    translation, rotation, scaling, shear and bending. There is no motion blur and no brightness
    change.

    Args:
      key: `jax.random` key.
      images: uint8 `[L, H, W, 3]`, the background first.
      sizes: int32 `[L, 2]`, height and width of each image without padding.
      times: `[N]`, times of the targets in 0 .. 1; outside, large displacements make the map fold.
      shape: height and width of the frames.

    Source: layers of photographs as in FlyingChairs (Dosovitskiy et al. 2015) and AutoFlow (Sun et
    al. 2021); the distribution of parameters is specific to this project.
    """
    *keys, shared = jax.random.split(key, len(images) + 1)
    layers = jax.vmap(_draw)(jnp.stack(keys), sizes)
    # All layers share part of the background's motion, so that relative speeds are mostly small.
    along = jax.random.uniform(shared, (len(images), 1)).at[0].set(0)
    layers = layers._replace(velocity=layers.velocity + along * layers.velocity[0])
    images = images.astype(jnp.float32)
    moments = jnp.concatenate([jnp.arange(2.0), times])
    frames = lax.map(lambda time: _shown(layers, images, sizes, time, shape), moments)
    motion = lax.map(lambda time: _motion(layers, time, shape), times)
    return Collage(frames[:2], frames[2:], motion)


class _Layer(NamedTuple):
    """Placement, motion and outline of a layer; points are (x, y) from the centre."""

    origin: Array  # [2], the image point at the centre
    turn: Array  # [2, 2], from frame to image directions
    velocity: Array  # [2]
    affine: Array  # [2, 2]
    bends: "_Waves"
    outline: "_Waves"
    rarity: Array
    softness: Array


class _Waves(NamedTuple):
    """sum of a sin(k . p + phase)."""

    vectors: Array  # [K, 2]
    phases: Array  # [K]
    amplitudes: Array  # [K, C]

    def __call__(self, points: Array) -> Array:
        """`[C, h, w]` at the points `[2, h, w]`."""
        return sum(_planes(a) * jnp.sin(angle) for _, angle, a in self._each(points))

    def slope(self, points: Array) -> Array:
        """Gradient magnitude `[h, w]` of a single channel."""
        across, down = (
            sum(k[axis] * a * jnp.cos(angle) for k, angle, (a,) in self._each(points))
            for axis in range(2)
        )
        return jnp.sqrt(across**2 + down**2)

    def _each(self, points):
        # One wave at a time: with all in one array, XLA on a CPU recomputes `points` for each wave.
        for vector, phase, amplitudes in zip(*self, strict=True):
            yield vector, vector[0] * points[0] + vector[1] * points[1] + phase, amplitudes


def _planes(numbers):
    return numbers[:, None, None]


def _turned(matrix, points):
    """The matrix `[2, 2]` times the points `[2, h, w]`, in full float32 on every platform."""
    return sum(_planes(matrix[:, axis]) * points[axis] for axis in range(2))


def _draw(key, size):
    """A random layer for an image of this height and width."""
    keys = iter(jax.random.split(key, 16))

    def uniform(low, high, shape=()):
        return jax.random.uniform(next(keys), shape, minval=low, maxval=high)

    def lengths(between, count):
        return jnp.exp(uniform(math.log(between[0]), math.log(between[1]), (count,)))

    def waves(between, count):
        angles, length = uniform(0, 2 * math.pi, (count,)), lengths(between, count)
        vectors = 2 * math.pi * _direction(angles) / length[:, None]
        return length, vectors, uniform(0, 2 * math.pi, (count,))

    length, vectors, phases = waves(BEND_LENGTHS, BENDS)
    most = BEND_SLOPE * length[:, None] / (2 * math.pi)
    bends = _Waves(vectors, phases, most * uniform(-1, 1, (BENDS, 2)) / math.sqrt(2))
    _, vectors, phases = waves(OUTLINE_LENGTHS, OUTLINES)
    outline = _Waves(vectors, phases, jnp.full((OUTLINES, 1), math.sqrt(2 / OUTLINES)))
    across = _direction(uniform(0, 2 * math.pi))
    stride = uniform(*STRIDES)
    return _Layer(
        origin=uniform(0, 1, (2,)) * (size[::-1] - 1),
        turn=stride * jnp.stack([across, jnp.stack([-across[1], across[0]])]),
        velocity=_direction(uniform(0, 2 * math.pi)) * lengths(SPEEDS, 1),
        affine=AFFINE * jax.random.normal(next(keys), (2, 2)),
        bends=bends,
        outline=outline,
        rarity=uniform(*RARITY),
        softness=uniform(*SOFTNESS),
    )


def _direction(angle):
    return jnp.stack([jnp.cos(angle), jnp.sin(angle)], axis=-1)


def _grid(shape, samples):
    """Points of `samples` per pixel and axis, from the frame's centre: `[2, h, w]`."""
    y, x = (((jnp.arange(n * samples) + 0.5) / samples) - n / 2 for n in shape)
    return jnp.stack(jnp.meshgrid(x, y))


def _shown(layers, images, sizes, time, shape):
    """The frame at one time, supersampled."""
    points = _grid(shape, SAMPLES)
    colours = jnp.zeros((3, *points.shape[1:]))
    placed = _placed(layers, points, time)
    for (layer, start, _, cover), image, size in zip(placed, images, sizes, strict=True):
        places = _planes(layer.origin) + _turned(layer.turn, start)
        colours += cover * (_sampled(image, size, places) - colours)
    frame = colours.reshape(3, shape[0], SAMPLES, shape[1], SAMPLES).mean((2, 4))
    return jnp.moveaxis(jnp.round(frame), 0, -1) / 255


def _motion(layers, time, shape):
    """Motion from time 0 to 1 of the point visible at the centre of each pixel at `time`."""
    seen = jnp.zeros((2, *shape))
    for _, _, motion, cover in _placed(layers, _grid(shape, 1), time):
        seen = jnp.where(cover > 0.5, motion, seen)
    return jnp.moveaxis(seen, 0, -1)


def _placed(layers, points, time):
    """Yield for every layer from back to front: the layer, the positions of `points` at time 1/2,
    their motion from time 0 to 1, and the layer's coverage."""
    for index in range(len(layers.origin)):
        layer = jax.tree.map(lambda leaf, index=index: leaf[index], layers)
        start, motion = _came_from(layer, points, time)
        cover = jnp.ones(points.shape[1:])
        if index > 0:
            [height] = layer.outline(start) - layer.rarity
            distance = height / (layer.outline.slope(start) + 1e-6)
            cover = jnp.clip(0.5 + distance / layer.softness, 0, 1)
        yield layer, start, motion, cover


def _came_from(layer, points, time):
    """Positions at time 1/2 of points at `time`, and their motion from time 0 to 1.

    start + later (velocity + affine start + bends(start)) = points, solved in closed form for the
    affine map and by iteration for the bends.
    """
    later, velocity = time - 0.5, _planes(layer.velocity)
    (a, b), (c, d) = jnp.eye(2) + later * layer.affine
    inverse = jnp.stack([d, -b, -c, a]).reshape(2, 2) / (a * d - b * c)
    bends = 0
    for _ in range(STEPS):
        start = _turned(inverse, points - later * (velocity + bends))
        bends = layer.bends(start)
    return start, velocity + _turned(layer.affine, start) + bends


def _sampled(image, size, places):
    """Colours `[3, h, w]` at positions in an image with mirrored edges."""
    last = _planes(size[::-1]) - 1
    x, y = last - jnp.abs(places % (2 * last) - last)
    take = jax.vmap(lambda plane: map_coordinates(plane, [y, x], order=1, mode="nearest"))
    return take(jnp.moveaxis(image, -1, 0))
