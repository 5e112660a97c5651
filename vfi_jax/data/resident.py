"""Data that live on the device: uploaded once as uint8, drawn inside the jitted step."""

from collections.abc import Iterable

import numpy as np

from vfi_jax.data.clip import Clip, read_frame


class Resident:
    """A data set in device memory, the fastest way to feed one accelerator.

    A batch is a pure function of (seed, step), so resuming needs nothing but the step.

    Attributes:
      arrays: what the jitted step takes once: "clips" uint8 `[K, F, H, W, 3]`, padded with zeros
        to the largest, and "sizes" int32 `[K, 3]`, the frames, height and width of each.
    """

    def __init__(self, clips: Iterable[Clip], *, batch: int, seed: int = 0):
        """Reads all clips into memory.

        Args:
          clips: at least one.
          batch: clips in a batch.
          seed: of the draw.

        Raises:
          ValueError: there are no clips.
        """
        self.arrays = stack(clips)
        self.batch = batch
        self.seed = seed

    def __len__(self) -> int:
        return len(self.arrays["sizes"])

    @property
    def frames(self) -> int:
        """Frames of the longest clip."""
        return self.arrays["clips"].shape[1]

    def draw(self, step: int) -> dict:
        """What is drawn for a step: "index" int32 `[B]` of clips, "seeds" uint32 `[B]`.

        Every clip comes once in an epoch (`len(self)` draws), in an order drawn anew for each.
        """
        places = step * self.batch + np.arange(self.batch)
        index = [self._epoch(place // len(self))[place % len(self)] for place in places]
        rng = np.random.default_rng((self.seed, 1, step))
        seeds = rng.integers(0, 2**32, self.batch, dtype=np.uint32)
        return {"index": np.asarray(index, np.int32), "seeds": seeds}

    @staticmethod
    def gather(arrays: dict, drawn: dict) -> dict:
        """The raw clips of one draw, under jit; `data.batch.Preparation` takes them."""
        index = drawn["index"]
        raw = {name: array[index] for name, array in arrays.items()}
        return {**raw, "seeds": drawn["seeds"]}

    def _epoch(self, epoch):
        return np.random.default_rng((self.seed, 0, epoch)).permutation(len(self))


def stack(clips: Iterable[Clip]) -> dict:
    """All clips as one array, padded with zeros, and their sizes.

    Args:
      clips: at least one.

    Returns:
      "clips" uint8 `[K, F, H, W, 3]` and "sizes" int32 `[K, 3]`.

    Raises:
      ValueError: there are no clips.
    """
    videos = [np.stack([read_frame(frame) for frame in clip.frames]) for clip in clips]
    if not videos:
        raise ValueError("the data set has no clips")
    sizes = np.asarray([video.shape[:3] for video in videos], np.int32)
    out = np.zeros((len(videos), *sizes.max(0), 3), np.uint8)
    for place, video in zip(out, videos, strict=True):
        place[tuple(slice(0, n) for n in video.shape[:3])] = video
    return {"clips": out, "sizes": sizes}
