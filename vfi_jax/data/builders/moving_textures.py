"""Shifting layers of noise: triplets with known, uniformly distributed motion.

For training and testing matching networks: motions of all sizes and directions are equally likely,
and texture is everywhere.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vfi_jax.data.clip import Clip

LAYOUT = ""
SPLITS = ("train", "val", "test")
FIRST_SEED = {"train": 0, "val": 1_000_000, "test": 2_000_000}  # far apart: no scene is shared

PITCHES = (17.0, 8.0, 4.0, 2.0)  # pixels between random values of an octave
SHARES = (1.5, 2.0, 2.0, 0.7)  # of the octaves on average (a Dirichlet distribution's parameters)
VALUES = 32  # random values along an axis; then an octave repeats


class Rendering(NamedTuple):
    """Three frames and their motion.

    Attributes:
      frames: `[3, H, W, 3]` float32 RGB in [0, 1] at times 0, 1/2 and 1.
      motion: `[H, W, 2]` float32 pixels (x, y), motion of the middle frame's pixels from the first
        to the last frame.
    """

    frames: np.ndarray
    motion: np.ndarray


def clips(
    root: Path | None,
    split: str,
    *,
    scenes: int = 1024,
    size: tuple[int, int] = (64, 64),
    reach: float = 8.0,
) -> Iterator[Clip]:
    """Render scenes as clips of three frames.

    Args:
      root: not used.
      split: splits use disjoint seeds.
      scenes: number of scenes.
      size: height and width, in pixels.
      reach: maximum motion along each axis from the first to the last frame, in pixels. Each scene
        draws its own maximum between half of it and all of it; one scene in three has a second
        layer.
    """
    for seed in range(FIRST_SEED[split], FIRST_SEED[split] + scenes):
        own = reach * np.random.default_rng(seed).uniform(0.5, 1)
        frames = np.rint(render(seed, size, reach=own, layers=1 + (seed % 3 == 0)).frames * 255)
        yield Clip(f"moving_textures/{split}/{seed}", tuple(frames.astype(np.uint8)))


def render(seed: int, size: tuple[int, int], *, reach: float = 8.0, layers: int = 1) -> Rendering:
    """Render one scene.

    Args:
      seed: the same seed gives the same scene.
      size: height and width, in pixels.
      reach: motions along each axis are uniform in -reach .. reach pixels.
      layers: number of layers: a background, then boxes and ellipses in front of it.
    """
    rng = np.random.default_rng([seed, 1])
    shifts = rng.uniform(-reach, reach, (layers, 2))
    paints = [_Texture(rng) for _ in range(layers)]
    shapes = [_Shape(rng, size) for _ in range(layers - 1)]
    frames = []
    for time in (-0.5, 0.0, 0.5):
        frame = paints[0](size, shifts[0] * time)
        motion = np.broadcast_to(shifts[0], (*size, 2))
        for shape, paint, shift in zip(shapes, paints[1:], shifts[1:], strict=True):
            cover = shape(size, shift * time)[..., None]
            frame = (1 - cover) * frame + cover * paint(size, shift * time)
            motion = np.where(cover > 0.5, shift, motion)
        frames.append(frame)
        if time == 0:
            middle = motion
    return Rendering(np.stack(frames).astype(np.float32), middle.astype(np.float32))


class _Texture:
    """Octaves of random values, interpolated linearly, of random colourfulness and contrast."""

    def __init__(self, rng):
        self.tables = rng.uniform(-0.5, 0.5, (len(PITCHES), VALUES, VALUES, 3))
        grey = self.tables.mean(axis=-1, keepdims=True) * 1.5
        self.tables = grey + rng.uniform(0, 1) * (self.tables - grey)
        self.tables *= rng.dirichlet(SHARES)[:, None, None, None] * rng.uniform(1.5, 4)
        self.phase = rng.uniform(0, VALUES, 2)
        self.base = rng.uniform(0.3, 0.7, 3)

    def __call__(self, size, shift):
        frame = np.broadcast_to(self.base, (*size, 3))
        for table, pitch in zip(self.tables, PITCHES, strict=True):
            columns = self._weights(size[1], shift[0], self.phase[0], pitch)
            rows = self._weights(size[0], shift[1], self.phase[1], pitch)
            across = np.tensordot(columns, table, ([1], [1]))
            frame = frame + np.tensordot(rows, across, ([1], [1]))
        return np.clip(frame, 0, 1)

    def _weights(self, length, shift, phase, pitch):
        """Interpolation weights of the random values along an axis, `[length, VALUES]`."""
        place = (np.arange(length) - shift) / pitch + phase
        apart = (place[:, None] - np.arange(VALUES) + VALUES / 2) % VALUES - VALUES / 2
        return np.maximum(0, 1 - np.abs(apart))


class _Shape:
    """A rotated box or ellipse."""

    def __init__(self, rng, size):
        self.centre = rng.uniform(0, 1, 2) * size[::-1]
        self.radii = rng.uniform(0.12, 0.35, 2) * min(size)
        angle = rng.uniform(0, np.pi)
        self.turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        self.is_box = rng.random() < 0.5

    def __call__(self, size, shift):
        """Coverage of each pixel."""
        y, x = np.mgrid[: size[0], : size[1]]
        place = np.stack([x, y], axis=-1) - self.centre - shift
        u, v = np.moveaxis(np.abs(place @ self.turn.T) / self.radii, -1, 0)
        distance = np.maximum(u, v) if self.is_box else np.hypot(u, v)
        return np.clip((1 - distance) * self.radii.min() + 0.5, 0, 1)
