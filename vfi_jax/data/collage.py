"""Cut-outs of real frames that move over one another: real textures whose motion is known."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.ndimage import map_coordinates

from vfi_jax.arrays import Array, Image

SPEEDS = (0.5, 24.0)  # pixels between time 0 and 1, before what a layer shares with the background
STRIDES = (1.0, 1.8)  # pixels of an image for one of the frame: none is enlarged to a blur
AFFINE = 0.03  # spread of the terms by which displacements grow with the distance from the centre
BENDS = 2  # waves of displacement
BEND_LENGTHS = (40.0, 300.0)  # pixels per wave
BEND_SLOPE = 0.08  # of the displacement of a wave, at most: maps stay one to one
OUTLINES = 4  # waves whose sum is high inside a cut-out
OUTLINE_LENGTHS = (24.0, 240.0)
RARITY = (0.3, 1.8)  # standard deviations of that sum that the inside is above
SOFTNESS = (0.5, 1.5)  # pixels from outside to inside
STEPS = 3  # towards where a point was: each leaves a twentieth of the error or less
SAMPLES = 2  # per pixel and axis


class Collage(NamedTuple):
    """What a collage shows.

    Attributes:
      frames: `[2, H, W, 3]` float32 in 255ths of [0, 1], at times 0 and 1.
      targets: `[N, H, W, 3]`, as asked for.
      motion: `[N, H, W, 2]` pixels, how far what a target shows moves from time 0 to 1.
    """

    frames: Image
    targets: Image
    motion: Array


def collage(
    key: Array, images: Array, sizes: Array, times: Array, shape: tuple[int, int]
) -> Collage:
    """Images as layers that move and cover one another.

    Every point of a layer keeps its velocity, which changes smoothly over the layer: it shifts,
    turns, grows, shears and bends. Nothing blurs, and nothing changes its brightness.

    Args:
      key: of `jax.random`.
      images: uint8 `[L, H, W, 3]`, the background first.
      sizes: int32 `[L, 2]`, the height and width of each that are not padding.
      times: `[N]` of the targets, in 0 .. 1; beyond, displacements grow until a map folds.
      shape: height and width of the frames.

    Source: layers of photographs as in FlyingChairs (Dosovitskiy et al. 2015) and AutoFlow (Sun et
    al. 2021); what is drawn, and how, is this project's.
    """
    *keys, shared = jax.random.split(key, len(images) + 1)
    layers = jax.vmap(_draw)(jnp.stack(keys), sizes)
    # All move along with the background, more or less, so that few are far apart in speed.
    along = jax.random.uniform(shared, (len(images), 1)).at[0].set(0)
    layers = layers._replace(velocity=layers.velocity + along * layers.velocity[0])
    images = images.astype(jnp.float32)
    moments = jnp.concatenate([jnp.arange(2.0), times])
    frames = lax.map(lambda time: _shown(layers, images, sizes, time, shape), moments)
    motion = lax.map(lambda time: _motion(layers, time, shape), times)
    return Collage(frames[:2], frames[2:], motion)


class _Layer(NamedTuple):
    """How a layer lies on its image, moves, and is cut out; points are (x, y) from the centre."""

    origin: Array  # [2], the point of the image at the centre
    turn: Array  # [2, 2], from the frame's directions to the image's
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
        """`[h, w]`, length of the gradient, of a single channel."""
        across, down = (
            sum(k[axis] * a * jnp.cos(angle) for k, angle, (a,) in self._each(points))
            for axis in range(2)
        )
        return jnp.sqrt(across**2 + down**2)

    def _each(self, points):
        # Wave after wave: with all in one array, XLA works out on a CPU what `points` are made of
        # once for each.
        for vector, phase, amplitudes in zip(*self, strict=True):
            yield vector, vector[0] * points[0] + vector[1] * points[1] + phase, amplitudes


def _planes(numbers):
    return numbers[:, None, None]


def _turned(matrix, points):
    """The matrix `[2, 2]` times the points `[2, h, w]`, in full float32 on every platform."""
    return sum(_planes(matrix[:, axis]) * points[axis] for axis in range(2))


def _draw(key, size):
    """A layer on an image of this height and width."""
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
    """The frame at one time, the mean of each pixel's samples."""
    points = _grid(shape, SAMPLES)
    colours = jnp.zeros((3, *points.shape[1:]))
    placed = _placed(layers, points, time)
    for (layer, start, _, cover), image, size in zip(placed, images, sizes, strict=True):
        places = _planes(layer.origin) + _turned(layer.turn, start)
        colours += cover * (_sampled(image, size, places) - colours)
    frame = colours.reshape(3, shape[0], SAMPLES, shape[1], SAMPLES).mean((2, 4))
    return jnp.moveaxis(jnp.round(frame), 0, -1) / 255


def _motion(layers, time, shape):
    """How far what is seen at one time, at the centre of each pixel, moves from time 0 to 1."""
    seen = jnp.zeros((2, *shape))
    for _, _, motion, cover in _placed(layers, _grid(shape, 1), time):
        seen = jnp.where(cover > 0.5, motion, seen)
    return jnp.moveaxis(seen, 0, -1)


def _placed(layers, points, time):
    """For every layer from the back: itself, where `points` are halfway in time, how far they move
    from time 0 to 1, and how much of each the layer covers."""
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
    """Where points at `time` are halfway, and how far they move from time 0 to 1.

    start + later (velocity + affine start + bends(start)) = points, solved for the affine map in
    closed form, and for the bends by repetition.
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
    """Colours `[3, h, w]` at places of an image that is mirrored at its edges."""
    last = _planes(size[::-1]) - 1
    x, y = last - jnp.abs(places % (2 * last) - last)
    take = jax.vmap(lambda plane: map_coordinates(plane, [y, x], order=1, mode="nearest"))
    return take(jnp.moveaxis(image, -1, 0))
