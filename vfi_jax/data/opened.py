"""Data sets opened: built ones by TFDS, others from their published tree."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from vfi_jax import data
from vfi_jax.data.choice import Choice
from vfi_jax.data.clip import Clip
from vfi_jax.data.faults import Faults
from vfi_jax.data.layout import is_built


class Opened(NamedTuple):
    """The clips of a data set that are long enough.

    Attributes:
      clips: by index.
      longest: frames of the longest.
    """

    clips: Sequence[Clip]
    longest: int


def open_clips(name: str, choice: Choice, faults: Faults) -> Opened:
    """The clips of a data set: of the built one where there is one, else of the tree as it was
    downloaded.

    Args:
      name: of the data set.
      choice: where it lies, which split, and what a rendered data set renders.
      faults: takes what cannot be read.

    Raises:
      ValueError: the data set is unknown, absent, empty or laid out otherwise, or does not know
        the licences that are asked for.
    """
    builder, _ = data.find(name)
    if is_built(name, choice.folder):
        return _open_built(name, choice)
    split = choice.split_of(name)
    clips = data.clips(name, choice.folder, split, **_options(builder, choice, faults))
    long = [clip for clip in clips if len(clip.frames) >= choice.shortest]
    return Opened(long, max((len(clip.frames) for clip in long), default=0))


def _options(builder, choice, faults) -> dict[str, Any]:
    """What a builder's `clips` takes of what a choice offers."""
    # A quarter more than the crop on each axis, so that crops differ.
    size = tuple(side * 5 // 4 for side in choice.crop)
    offered = {
        "scenes": choice.scenes,
        "size": size,
        "frames": choice.frames,
        "shortest": choice.shortest,
        "licences": choice.licences,
        "faults": faults,
    }
    return {key: value for key, value in offered.items() if key in data.options(builder)}


def _open_built(name, choice):
    if choice.licences:
        raise ValueError(
            f"licences are not stored in built data sets; name the folder of {name} itself"
        )
    # Only what was built by TFDS needs it.
    from vfi_jax.data.tfds_builder import count_frames, open_built

    split = choice.split_of(name)
    clips: Sequence[Clip] = _Built(open_built(name, choice.folder, split))
    counts = count_frames(name, choice.folder, split)
    if counts is None:  # built before they were stored
        return Opened(clips, choice.frames)
    fewest, most = counts
    if fewest < choice.shortest:
        # Which clips are short, the records alone tell.
        long = [i for i, clip in enumerate(clips) if len(clip.frames) >= choice.shortest]
        clips = _Part(clips, long)
    return Opened(clips, most)


class _Built(Sequence):
    """Stored examples as clips, whose frames are encoded bytes."""

    def __init__(self, examples: Sequence[dict]):
        self._examples = examples

    def __len__(self) -> int:
        return len(self._examples)

    def __iter__(self) -> Iterator[Clip]:
        # Past the end array_record raises no IndexError, by which Sequence would stop.
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index):
        example = self._examples[index]
        inputs = tuple(map(int, example["inputs"]))
        return Clip(example["name"].decode(), tuple(example["frames"]), inputs)


class _Part(Sequence):
    """Some of a random-access data set."""

    def __init__(self, whole: Sequence[Clip], indices: list[int]):
        self._whole, self._indices = whole, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index):
        return self._whole[self._indices[index]]
