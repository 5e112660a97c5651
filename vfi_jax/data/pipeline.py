"""Clips streamed from disk by grain: shuffled, sharded, decoded by threads, cropped, batched.

What is drawn for a clip is drawn from the seed and its place in the endless order of draws, so a
run can go on from any step, and two processes never load the same clip.
"""

from collections.abc import Sequence
from typing import Any

import grain
import numpy as np

from vfi_jax import data
from vfi_jax.data.clip import Clip, read_frame
from vfi_jax.data.layout import is_built
from vfi_jax.data.source import Choice, read_built, read_clips

THREADS = 16  # decoding; OpenCV releases the GIL, more gained nothing
AHEAD = 64  # clips decoded before they are asked for, of large batches those of two


class Streamed:
    """A source that reads from disk; built data sets by TFDS, others from their published tree.

    Attributes:
      arrays: empty: every draw brings its own pixels.
      frames: of every clip that is drawn, no more than the longest has; shorter ones are padded
        with their last frame.
    """

    def __init__(self, choice: Choice):
        """Opens the data sets.

        Args:
          choice: which, and how they are drawn.

        Raises:
          ValueError: a data set is unknown, absent, empty or laid out otherwise.
        """
        self.arrays: dict = {}
        self._choice = choice
        parts, longest = zip(*(_open(name, choice) for name in choice.names), strict=True)
        self._examples = _Joined(parts)
        self.frames = min(choice.loaded or choice.frames, max(longest))
        if not self._examples:
            raise ValueError(
                f"{', '.join(choice.names)} has no clips of {choice.shortest} frames or more in "
                f"{choice.split!r}"
            )
        process, processes = choice.shard
        self._order = (
            grain.MapDataset.range(len(self._examples)).seed(choice.seed).shuffle().repeat()
        )
        # Sharded after the map: what is drawn for a clip does not depend on how many processes run.
        shard = slice(process, None, processes)
        self._loaded = self._order.random_map(self._load)[shard]
        self._order = self._order[shard]
        self._iterator: Any = None
        self._next = 0

    def draw(self, step: int) -> dict:
        """The clips of a step; the steps that follow are being read meanwhile."""
        if self._iterator is None or step != self._next:
            self.close()
            batch = self._choice.batch
            options = grain.ReadOptions(
                num_threads=THREADS, prefetch_buffer_size=max(AHEAD, 2 * batch)
            )
            # Batched after the threads, so that each decodes a clip, whatever the batch.
            clips = self._loaded[step * batch :].to_iter_dataset(options)
            self._iterator = iter(clips.batch(batch))
        self._next = step + 1
        return next(self._iterator)

    def gather(self, arrays: dict, drawn: dict) -> dict:
        """The drawn clips as they are."""
        return drawn

    def names(self, step: int) -> list[str]:
        """Names of the clips drawn for a step."""
        places = range(step * self._choice.batch, (step + 1) * self._choice.batch)
        return [_name(self._examples[self._order[place]]) for place in places]

    def close(self) -> None:
        """Stops reading ahead."""
        if self._iterator is not None:
            self._iterator.close()
            self._iterator = None

    def _load(self, index: int, rng: np.random.Generator) -> dict:
        example = self._examples[index]
        encoded = example.frames if isinstance(example, Clip) else example["frames"]
        count = min(len(encoded), self.frames)
        if count < self._choice.shortest:
            raise ValueError(
                f"clip {_name(example)} has {count} frames and a window takes "
                f"{self._choice.shortest}; build the set again: it was built before the numbers of "
                "frames were stored, by which short clips are left out"
            )
        start = int(rng.integers(len(encoded) - count + 1))
        frames = [read_frame(frame) for frame in encoded[start : start + count]]
        crop, size = self._choice.crop, frames[0].shape[:2]
        if size[0] < crop[0] or size[1] < crop[1]:
            raise ValueError(
                f"crop {crop} does not fit into clip {_name(example)} of {size}; "
                "use a smaller crop or larger clips"
            )
        region = self._choice.region or crop
        height, width = (min(sides) for sides in zip(region, size, strict=True))
        top, left = (int(rng.integers(n + 1)) for n in (size[0] - height, size[1] - width))
        video = np.stack([frame[top : top + height, left : left + width] for frame in frames])
        missing = self.frames - count, region[0] - height, region[1] - width
        return {
            "clips": np.pad(video, [*((0, n) for n in missing), (0, 0)], mode="edge"),
            "sizes": np.asarray((count, height, width), np.int32),
            "seeds": rng.integers(2**32, dtype=np.uint32),
        }


class _Joined(Sequence):
    """Several random-access data sets as one."""

    def __init__(self, parts: Sequence[Sequence]):
        self._parts = parts
        self._ends = np.cumsum([len(part) for part in parts])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index):
        part = int(np.searchsorted(self._ends, index, side="right"))
        before = int(self._ends[part - 1]) if part else 0
        return self._parts[part][int(index) - before]


class _Chosen(Sequence):
    """Some of a random-access data set."""

    def __init__(self, whole: Sequence, indices: list[int]):
        self._whole, self._indices = whole, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index):
        return self._whole[self._indices[index]]


def _open(name: str, choice: Choice) -> tuple[Sequence, int]:
    """Clips that are long enough, and the frames of the longest: of a built data set where there is
    one, else of the tree as it was downloaded."""
    data.find(name)
    if is_built(name, choice.folder):
        return _open_built(name, choice)
    clips = [
        clip for clip in read_clips(choice, names=(name,)) if len(clip.frames) >= choice.shortest
    ]
    return clips, max((len(clip.frames) for clip in clips), default=0)


def _open_built(name, choice):
    # Only what was built by TFDS needs it.
    from vfi_jax.data.tfds_builder import count_frames

    examples = read_built(name, choice)
    counts = count_frames(name, choice.folder, choice.split_of(name))
    if counts is None:
        return examples, choice.frames
    fewest, most = counts
    if fewest < choice.shortest:
        # Which clips are short, the records alone tell.
        long = [i for i, one in enumerate(examples) if len(one["frames"]) >= choice.shortest]
        examples = _Chosen(examples, long)
    return examples, most


def _name(example):
    return example.name if isinstance(example, Clip) else example["name"].decode()
