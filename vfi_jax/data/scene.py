"""Procedural scenes: textured objects that move, rotate, scale and occlude, at any time t.

Everything is a closed-form function of time, so intermediate frames, flows and occlusions are
exact.
"""

import dataclasses
import functools
import math

import numpy as np

SHARES = (0.6, 0.25, 0.15)  # of a layer's maximum displacement: translation, rotation, scaling
GROWTH = 0.15  # log of the largest scale
EDGE = 1.5  # width of a pattern's edges, in pixels
FINE = (4.0, 14.0)  # pixels per wave of patterns that repeat within a network's search range
BAND = 32  # rows painted at a time
ROUNDING = 1e-6  # pixels; rounding error of a static point at the frame's edge
RIM = 5.0  # pixels over which an object darkens towards its outline


class Scene:
    """Objects over a background, all in smooth endless motion.

    A layer's centre follows a Lissajous curve, so that it always returns; it rotates at constant
    speed and its scale oscillates. Textures are sums of plane waves, thresholded to two colours
    with edges of one or two pixels.

    Args:
      seed: the same seed gives the same scene.
      height: in pixels.
      width: in pixels.
      objects: number of objects, the last one in front.
      motion: maximum displacement of a point from t to t + 1, in pixels; some points come close to
        it.
      supersample: samples per pixel and axis; a frame is their mean.
      fine: share of layers with a pattern that repeats every few pixels, like knitwear, brick and
        print, whose motion is ambiguous locally.
    """

    def __init__(
        self,
        seed: int = 0,
        height: int = 256,
        width: int = 448,
        *,
        objects: int = 7,
        motion: float = 8.0,
        supersample: int = 2,
        fine: float = 0.0,
    ):
        rng = np.random.default_rng(seed)
        self.height, self.width, self.supersample = height, width, supersample
        size = np.array([width, height], float)
        self._layers = [_background(rng, size, motion, fine)]
        self._layers += [_object(rng, size, motion, fine) for _ in range(objects)]

    def frame(self, time: float) -> np.ndarray:
        """Render the frame at `time`.

        Returns:
          `[height, width, 3]` float32 RGB in [0, 1].
        """
        factor = self.supersample
        xs, ys = ((np.arange(n * factor) + 0.5) / factor - 0.5 for n in (self.width, self.height))
        frame = np.empty((self.height, self.width, 3), np.float32)
        # In bands, because a canvas that fits into the cache renders several times as fast.
        for top in range(0, self.height, BAND):
            canvas = self._paint(xs, ys[top * factor : (top + BAND) * factor], time)
            rows = sum(canvas[:, i::factor] for i in range(factor))
            mean = sum(rows[:, :, i::factor] for i in range(factor)) / factor**2
            frame[top : top + BAND] = np.moveaxis(mean, 0, -1)
        return np.clip(frame, 0, 1, out=frame)

    def flow(self, time0: float, time1: float) -> np.ndarray:
        """Flow from `time0` to `time1` of the visible points.

        Returns:
          `[height, width, 2]` float32 pixels, (x, y).
        """
        points = self._pixels()
        _, moved = self._moved(points, time0, time1)
        return (moved - points).astype(np.float32)

    def occlusion(self, time0: float, time1: float) -> np.ndarray:
        """Mask of points visible at `time0` that are occluded or outside the frame at `time1`.

        Returns:
          `[height, width, 1]` float32: 1 where occluded or outside, otherwise 0.
        """
        owner, moved = self._moved(self._pixels(), time0, time1)
        last = np.array([self.width - 1, self.height - 1])
        hidden = ((moved < -ROUNDING) | (moved > last + ROUNDING)).any(axis=-1)
        for index, layer in enumerate(self._layers):
            hidden |= (owner < index) & layer.covers(moved, time1)
        return hidden[..., None].astype(np.float32)

    def _paint(self, xs, ys, time):
        canvas = np.empty((3, len(ys), len(xs)), np.float32)
        for layer in self._layers:
            layer.paint(canvas, xs, ys, time, 1 / self.supersample)
        return canvas

    def _pixels(self):
        return np.stack(np.meshgrid(np.arange(self.width), np.arange(self.height)), -1).astype(
            float
        )

    def _moved(self, points, time0, time1):
        """Index of the front layer at `points` at time0, and its points' positions at time1."""
        owner = np.zeros(points.shape[:-1], int)
        for index, layer in enumerate(self._layers):
            owner[layer.covers(points, time0)] = index
        moved = np.empty_like(points)
        for index, layer in enumerate(self._layers):
            own = owner == index
            moved[own] = layer.to_image(layer.to_local(points[own], time0), time1)
        return owner, moved


@dataclasses.dataclass(frozen=True)
class _Layer:
    """A textured object: its pose over time, outline and texture.

    Attributes:
      path: function from time to (centre, angle, scale).
      radius: maximum distance of the outline from the centre, in local pixels; inf: no outline.
      outline: function from local points to signed distance, negative inside.
      pattern: waves whose sign chooses one of `colours`.
      grain: waves that modulate brightness.
    """

    path: "_Path"
    radius: float
    outline: "_Blob | _Polygon | None"
    pattern: "_Waves"
    grain: "_Waves"
    colours: np.ndarray

    def to_image(self, points, time):
        centre, turn, scale = self.path.pose(time)
        return centre + scale * points @ turn.T

    def to_local(self, points, time):
        centre, turn, scale = self.path.pose(time)
        return (points - centre) @ turn / scale

    def covers(self, points, time):
        """Whether the layer covers image points, bool."""
        centre, _, scale = self.path.pose(time)
        near = ((points - centre) ** 2).sum(axis=-1) < (self.radius * scale) ** 2
        if self.outline is not None:
            near[near] = self.outline(*self.to_local(points[near], time).T) < 0
        return near

    def paint(self, canvas, xs, ys, time, spacing):
        """Paint the layer over `canvas`, sampled at the grid of `xs` and `ys`."""
        centre, turn, scale = self.path.pose(time)
        reach = self.radius * scale + 1
        columns = slice(*np.searchsorted(xs, (centre[0] - reach, centre[0] + reach)))
        rows = slice(*np.searchsorted(ys, (centre[1] - reach, centre[1] + reach)))
        xs, ys = xs[columns] - centre[0], ys[rows] - centre[1]
        if not len(xs) or not len(ys):
            return
        inverse = turn.T / scale
        light = self.grain(xs, ys, inverse)
        light += 1
        cover = 1.0
        if self.outline is not None:
            distance = self._distance(xs, ys, inverse)
            light *= np.clip(0.6 - 0.4 / RIM * distance, 0.6, 1)
            cover = np.clip(0.5 - distance * np.float32(scale / spacing), 0, 1)
        mix = self.pattern(xs, ys, inverse)
        mix += 0.5
        np.clip(mix, 0, 1, out=mix)
        for below, first, second in zip(canvas[:, rows, columns], *self.colours, strict=True):
            colour = (first + (second - first) * mix) * light
            below[:] = colour if self.outline is None else below + cover * (colour - below)

    def _distance(self, xs, ys, inverse):
        """Signed distance from the outline in local pixels, on the grid around the centre."""
        (a, b), (c, d) = inverse.astype(np.float32)
        xs, ys = xs.astype(np.float32), ys.astype(np.float32)[:, None]
        return self.outline(a * xs + b * ys, c * xs + d * ys)


@dataclasses.dataclass(frozen=True)
class _Path:
    """A Lissajous curve with constant rotation and oscillating scale."""

    centre: np.ndarray
    reach: np.ndarray
    rates: np.ndarray
    phases: np.ndarray
    angle: float
    turning: float
    growing: float
    growth_phase: float

    def pose(self, time):
        """(centre, rotation matrix, scale): a local point u is at centre + scale * rotation @ u."""
        centre = self.centre + self.reach * np.sin(self.rates * time + self.phases)
        angle = self.angle + self.turning * time
        scale = math.exp(GROWTH * math.sin(self.growing * time + self.growth_phase))
        cos, sin = math.cos(angle), math.sin(angle)
        return centre, np.array([[cos, -sin], [sin, cos]]), scale


@dataclasses.dataclass(frozen=True)
class _Waves:
    """sum of a cos(k . u + phase) over local points u."""

    vectors: np.ndarray
    phases: np.ndarray
    amplitudes: np.ndarray

    def __call__(self, xs, ys, inverse):
        # A plane wave remains one under rotation and scaling, and cos(x + y) = cos x cos y - sin x
        # sin y makes its values on a grid one matrix product.
        across, down = (self.vectors @ inverse).T
        x = np.outer(across, xs)
        y = np.outer(ys, down) + self.phases
        left = np.concatenate([np.cos(y), -np.sin(y)], 1) * np.tile(self.amplitudes, 2)
        right = np.concatenate([np.cos(x), np.sin(x)], 0)
        return left.astype(np.float32) @ right.astype(np.float32)


@dataclasses.dataclass(frozen=True)
class _Blob:
    """r(angle) = radius (1 + depth cos(petals * angle)): circles, clovers, flowers."""

    radius: float
    depth: float
    petals: int

    def __call__(self, x, y):
        r = np.sqrt(x * x + y * y) + np.float32(1e-6)
        if not self.depth:
            return r - self.radius
        direction = (x + 1j * y) / r
        around = direction
        for _ in range(self.petals - 1):
            around = around * direction
        outline = 1 + self.depth * around.real
        slope = self.depth * self.petals * around.imag / outline
        return (r - self.radius * outline) / np.sqrt(1 + slope * slope)


@dataclasses.dataclass(frozen=True)
class _Polygon:
    """Polygon: the points on the inner side of every line."""

    normals: np.ndarray
    offsets: np.ndarray

    def __call__(self, x, y):
        sides = zip(self.normals.tolist(), self.offsets.tolist(), strict=True)
        return functools.reduce(
            np.maximum, (across * x + down * y - offset for (across, down), offset in sides)
        )


def _background(rng, size, motion, fine):
    reach = 0.25 * size
    extent = math.hypot(*size) / 2 + math.hypot(*reach)  # of the region that can become visible
    path = _path(rng, size / 2, reach, motion * rng.uniform(0.2, 0.6), extent)
    texture = _texture(rng, math.hypot(*size) / 4, vivid=0.15, fine=fine)
    return _Layer(path, math.inf, None, *texture)


def _object(rng, size, motion, fine):
    radius = min(size) * rng.uniform(0.1, 0.27)
    centre, reach = size * rng.uniform(0.3, 0.7, 2), size * rng.uniform(0.15, 0.35, 2)
    path = _path(rng, centre, reach, motion * rng.uniform(0.4, 1.0), math.exp(GROWTH) * radius)
    outline, radius = (_blob if rng.random() < 0.5 else _polygon)(rng, radius)
    return _Layer(path, radius, outline, *_texture(rng, radius, vivid=0.4, fine=fine))


def _path(rng, centre, reach, motion, extent):
    """A path on which points up to `extent` from the centre move by at most `motion` per frame."""
    moving, turning, growing = motion * np.array(SHARES)
    direction = rng.uniform(0.2, math.pi / 2 - 0.2)
    return _Path(
        centre=centre,
        reach=reach,
        rates=moving * np.array([math.cos(direction), math.sin(direction)]) / reach,
        phases=rng.uniform(0, 2 * math.pi, 2),
        angle=rng.uniform(0, 2 * math.pi),
        turning=rng.choice([-1, 1]) * turning / extent,
        growing=growing / (GROWTH * extent),
        growth_phase=rng.uniform(0, 2 * math.pi),
    )


def _blob(rng, radius):
    depth = float(rng.choice([0.0, rng.uniform(0.1, 0.3)]))
    return _Blob(radius / (1 + depth), depth, int(rng.integers(3, 7))), radius


def _polygon(rng, radius):
    count = int(rng.integers(3, 7))
    angles = 2 * math.pi * (np.arange(count) + rng.uniform(-0.15, 0.15, count)) / count
    inner = radius * math.cos(1.3 * math.pi / count)  # keeps all corners within the radius
    return _Polygon(np.stack([np.cos(angles), np.sin(angles)], -1), np.full(count, inner)), radius


def _texture(rng, extent, *, vivid, fine):
    """(pattern, grain, colours) for an object of about `extent` pixels."""
    # No random draw if fine is 0, so that the scenes of existing seeds are unchanged.
    is_fine = fine > 0 and rng.random() < fine
    shares = [0.4, 0.4, 0.2] if is_fine else [0.2, 0.2, 0.6]
    kind = rng.choice(["stripes", "checks", "blotches"], p=shares)
    # Pixels per wave.
    length = rng.uniform(*FINE) if is_fine else extent * rng.uniform(0.25, 0.6) + 6
    angle = rng.uniform(0, 2 * math.pi)
    if kind == "stripes":
        angles = np.array([angle])
    elif kind == "checks":
        angles = angle + np.array([0, math.pi / 2])
    else:
        angles = rng.uniform(0, 2 * math.pi, 10)
    lengths = length * rng.uniform(1, 1.5 if kind == "blotches" else 1, len(angles))
    pattern = _waves(rng, angles, lengths, np.ones(len(angles)))
    slope = 2 * math.pi / lengths.mean()  # of the pattern, per pixel
    pattern = dataclasses.replace(pattern, amplitudes=pattern.amplitudes / (EDGE * slope))
    lengths = np.geomspace(4, 2 * extent, 32)
    grain = _waves(rng, rng.uniform(0, 2 * math.pi, 32), lengths, np.sqrt(lengths))
    grain = dataclasses.replace(grain, amplitudes=0.16 * grain.amplitudes)
    return pattern, grain, _colours(rng, vivid)


def _waves(rng, angles, lengths, weights):
    """Waves whose sum has variance 1."""
    vectors = 2 * math.pi * np.stack([np.cos(angles), np.sin(angles)], -1) / lengths[:, None]
    amplitudes = weights * math.sqrt(2 / (weights**2).sum())
    return _Waves(vectors, rng.uniform(0, 2 * math.pi, len(angles)), amplitudes)


def _colours(rng, vivid):
    """Two colours `[2, 3]` of different lightness; the contrast increases with `vivid`."""
    hues = rng.random() + np.array([[0], [rng.uniform(0.2, 1.2) * vivid]])
    phases = 2 * math.pi * (hues + np.array([0, 1 / 3, 2 / 3]))
    light = rng.permutation([rng.uniform(0.22, 0.42), rng.uniform(0.6, 0.8)])[:, None]
    return (light * (1 + rng.uniform(0.6, 1.2) * vivid * np.cos(phases))).astype(np.float32)
