"""Procedural scenes: no download, and exact ground truth at any time."""

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
FINE = 0.3  # share of layers with patterns that repeat every few pixels; not tuned
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
    """Render scenes, one clip each.

    Args:
      root: not used.
      split: splits use disjoint seeds.
      scenes: number of scenes.
      frames: frames per scene, at times 0, 1, 2, ...
      size: height and width, in pixels.
      motion: range of the scenes' maximum displacement between two frames, in pixels, with
        log-uniform spacing.
    """

    def render(index):
        seed = FIRST_SEED[split] + index
        pace = np.random.default_rng(seed).uniform(*np.log(motion))
        scene = Scene(seed, *size, motion=float(np.exp(pace)), fine=FINE)
        rendered = (np.rint(scene.frame(time) * 255).astype(np.uint8) for time in range(frames))
        return Clip(f"synthetic/{split}/{index:06d}", tuple(rendered))

    # Batches of as many scenes as there are cores, so that the first clip is available early.
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        for start in range(0, scenes, cores):
            # One thread per scene: nested multithreaded products oversubscribe the cores and turn
            # seconds into minutes on 16 cores.
            with threadpool_limits(1, user_api="blas"):
                rendered = list(pool.map(render, range(start, min(start + cores, scenes))))
            yield from rendered
