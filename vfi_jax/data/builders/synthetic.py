"""Procedural scenes with exact frames: nothing to download, and the truth is known at any time."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from vfi_jax.data.clip import Clip
from vfi_jax.data.scene import Scene

LAYOUT = ""
SPLITS = ("train", "val", "test")
FINE = 0.3  # of layers have patterns that repeat every few pixels; chosen, not tuned
FIRST_SEED = {"train": 0, "val": 1_000_000, "test": 2_000_000}  # far apart: no scene is shared


def clips(
    root: Path | None,
    split: str,
    *,
    scenes: int = 64,
    frames: int = 9,
    size: tuple[int, int] = (256, 448),
    motion: tuple[float, float] = (1.0, 8.0),
) -> Iterator[Clip]:
    """Renders scenes, one clip each.

    Args:
      root: not used.
      split: their seeds never meet.
      scenes: how many.
      frames: of each, at times 0, 1, 2, ...
      size: height and width, in pixels.
      motion: slowest and fastest scene: the largest displacement between two frames, in pixels;
        scenes are spread evenly in its logarithm.
    """

    def render(index):
        seed = FIRST_SEED[split] + index
        pace = np.random.default_rng(seed).uniform(*np.log(motion))
        scene = Scene(seed, *size, motion=float(np.exp(pace)), fine=FINE)
        rendered = (np.rint(scene.frame(time) * 255).astype(np.uint8) for time in range(frames))
        return Clip(f"synthetic/{split}/{index:06d}", tuple(rendered))

    # As many at a time as there are cores, so that who wants one clip does not wait for all.
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        for start in range(0, scenes, cores):
            # One scene is one thread's work: products that take all cores each get in one
            # another's way, and 16 cores take minutes for what they can do in seconds.
            with threadpool_limits(1, user_api="blas"):
                rendered = list(pool.map(render, range(start, min(start + cores, scenes))))
            yield from rendered
