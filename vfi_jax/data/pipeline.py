"""Clips streamed from disk by grain: shuffled, sharded, decoded by threads, cropped, batched.

Random choices depend on the seed and the position in the endless order of draws, so a run can
resume at any step, and two processes never load the same clip.
"""

from typing import Any

import grain
import numpy as np

from vfi_jax.data import sizes
from vfi_jax.data.choice import Choice
from vfi_jax.data.clip import read_frames
from vfi_jax.data.faults import Faults
from vfi_jax.data.opened import open_clips

THREADS = 16  # decoding threads; OpenCV releases the GIL, and more threads gained nothing
AHEAD = 64  # clips decoded in advance, at least two batches


class Streamed:
    """A source that reads from disk: built data sets with TFDS, others from their published files.

    Attributes:
      arrays: empty: every draw brings its own pixels.
      frames: frames per drawn clip, at most those of the longest clip; shorter ones are padded with
        their last frame.
    """

    def __init__(self, choice: Choice):
        """Open the data sets.

        Args:
          choice: which clips to draw, and how.

        Raises:
          ValueError: a data set is unknown, missing, empty or has another layout.
        """
        self.arrays: dict = {}
        self._choice = choice
        self._faults = Faults(strict=choice.strict)
        opened = open_clips(choice, self._faults)
        self._clips = opened.clips
        self.frames = min(choice.loaded or choice.frames, opened.longest)
        process, processes = choice.shard
        self._order = grain.MapDataset.range(len(self._clips)).seed(choice.seed).shuffle().repeat()
        # Sharded after the map, so that random choices do not depend on the number of processes.
        shard = slice(process, None, processes)
        self._loaded = self._order.random_map(self._load)[shard]
        self._order = self._order[shard]
        self._iterator: Any = None
        self._next = 0

    def draw(self, step: int) -> dict:
        """The clips of a step; later steps are read in the background."""
        if self._iterator is None or step != self._next:
            self.close()
            batch = self._choice.batch
            options = grain.ReadOptions(
                num_threads=THREADS, prefetch_buffer_size=max(AHEAD, 2 * batch)
            )
            # Batched after the threads, so that each thread decodes single clips.
            clips = self._loaded[step * batch :].to_iter_dataset(options)
            self._iterator = iter(clips.batch(batch))
        self._next = step + 1
        return next(self._iterator)

    def gather(self, arrays: dict, drawn: dict) -> dict:
        """The drawn clips unchanged."""
        return drawn

    def names(self, step: int) -> list[str]:
        """Names of the clips drawn for a step."""
        places = range(step * self._choice.batch, (step + 1) * self._choice.batch)
        return [self._clips[self._order[place]].name for place in places]

    def close(self) -> None:
        """Stop reading ahead."""
        if self._iterator is not None:
            self._iterator.close()
            self._iterator = None
            self._faults.summarise()

    def _load(self, index: int, rng: np.random.Generator) -> dict:
        """The clip at an index, or the next readable one."""
        for place in range(index, index + len(self._clips)):
            with self._faults.passed_over():
                return self._cut(self._clips[place % len(self._clips)], rng)
        raise ValueError(f"no clip of {', '.join(self._choice.names)} can be read")

    def _cut(self, clip, rng):
        """Consecutive frames of a clip, cut to a region."""
        count = min(len(clip.frames), self.frames)
        if count < self._choice.shortest:
            raise ValueError(
                f"clip {clip.name} has {count} frames, but a window needs "
                f"{self._choice.shortest}; rebuild the set: it was built before the numbers of "
                "frames were stored, which are needed to skip short clips"
            )
        start = int(rng.integers(len(clip.frames) - count + 1))
        frames = read_frames(clip, clip.frames[start : start + count])
        crop, size = self._choice.crop, frames.shape[1:3]
        sizes.check(crop, clip.name, size)
        region = self._choice.region or crop
        height, width = (min(sides) for sides in zip(region, size, strict=True))
        top, left = (int(rng.integers(n + 1)) for n in (size[0] - height, size[1] - width))
        video = frames[:, top : top + height, left : left + width]
        missing = self.frames - count, region[0] - height, region[1] - width
        return {
            "clips": np.pad(video, [*((0, n) for n in missing), (0, 0)], mode="edge"),
            "sizes": np.asarray((count, height, width), np.int32),
            "seeds": rng.integers(2**32, dtype=np.uint32),
        }
