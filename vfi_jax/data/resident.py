"""Data sets in device memory: uploaded once as uint8, sampled inside the jitted step."""

import functools
from collections.abc import Iterable, Sequence

import numpy as np

from vfi_jax.data import sizes
from vfi_jax.data.clip import Clip, read_frames
from vfi_jax.data.faults import Faults


class Resident:
    """A data set in device memory, the fastest way to feed one accelerator.

    A batch is a pure function of (seed, step), so resuming needs only the step.

    Attributes:
      arrays: arrays passed to the jitted step once: "clips" uint8 `[K, F, H, W, 3]`, zero-padded to
        the largest clip, and "sizes" int32 `[K, 3]`, number of frames, height and width of each.
    """

    def __init__(
        self,
        clips: Iterable[Clip],
        *,
        batch: int,
        crop: tuple[int, int] = (1, 1),
        seed: int = 0,
        shard: tuple[int, int] = (0, 1),
        faults: Faults | None = None,
    ):
        """Read all clips into memory.

        Args:
          clips: the clips, at least one.
          batch: clips per step of this process.
          crop: minimum height and width; smaller clips count as unreadable.
          seed: random seed.
          shard: (process index, number of processes): this process draws every n-th example of a
            batch.
          faults: collects unreadable clips; None: they are errors.

        Raises:
          ValueError: there are no clips.
        """
        faults = faults or Faults(strict=True)
        self._names, videos = [], []
        for clip in clips:
            with faults.passed_over():
                video = read_frames(clip, clip.frames)
                sizes.check(crop, clip.name, video.shape[1:3])
                videos.append(video)
                self._names.append(clip.name)
        self.arrays = stack(videos)
        self._batch, self._seed, self._shard = batch, seed, shard

    @property
    def frames(self) -> int:
        """Number of frames of the longest clip."""
        return self.arrays["clips"].shape[1]

    def draw(self, step: int) -> dict:
        """The draw of a step: "index" int32 `[B]` of clips, "seeds" uint32 `[B]`.

        Every clip occurs once per epoch; each epoch has a new order.
        """
        places = self._places(step)
        seeds = [np.random.SeedSequence((self._seed, 1, int(n))).generate_state(1) for n in places]
        return {
            "index": np.asarray([self._clip(place) for place in places], np.int32),
            "seeds": np.concatenate(seeds),
        }

    def names(self, step: int) -> list[str]:
        """Names of the clips drawn for a step."""
        return [self._names[self._clip(place)] for place in self._places(step)]

    def close(self) -> None:
        """Does nothing; there is no background work."""

    @staticmethod
    def gather(arrays: dict, drawn: dict) -> dict:
        """The raw clips of one draw, under jit; `data.batch.Preparation` takes them."""
        index = drawn["index"]
        raw = {name: array[index] for name, array in arrays.items()}
        return {**raw, "seeds": drawn["seeds"]}

    def _places(self, step):
        """Positions of this process's clips in the endless sequence of draws."""
        process, processes = self._shard
        return (step * self._batch + np.arange(self._batch)) * processes + process

    def _clip(self, place):
        epoch, within = divmod(int(place), len(self._names))
        return _order(self._seed, epoch, len(self._names))[within]


# A batch may reach into the next epoch, and evaluation has its own order.
@functools.lru_cache(maxsize=4)
def _order(seed, epoch, count):
    """The order of the clips in an epoch."""
    return np.random.default_rng((seed, 0, epoch)).permutation(count)


def stack(videos: Sequence[np.ndarray]) -> dict:
    """Stack all videos in one zero-padded array, with their sizes.

    Args:
      videos: uint8 `[F, H, W, 3]` each, at least one.

    Returns:
      "clips" uint8 `[K, F, H, W, 3]` and "sizes" int32 `[K, 3]`.

    Raises:
      ValueError: there are no videos.
    """
    if not videos:
        raise ValueError("the data set has no clips with enough frames")
    sizes = np.asarray([video.shape[:3] for video in videos], np.int32)
    out = np.zeros((len(videos), *sizes.max(0), 3), np.uint8)
    for place, video in zip(out, videos, strict=True):
        place[tuple(slice(0, n) for n in video.shape[:3])] = video
    return {"clips": out, "sizes": sizes}
