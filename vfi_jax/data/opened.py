"""Opening data sets: built ones with TFDS, others from their published files."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from vfi_jax import data, remote
from vfi_jax.data.choice import Choice
from vfi_jax.data.clip import Clip
from vfi_jax.data.faults import Faults
from vfi_jax.data.layout import is_built


class Opened(NamedTuple):
    """The clips of a data set with enough frames.

    Attributes:
      clips: the clips, by index.
      longest: number of frames of the longest clip.
    """

    clips: Sequence[Clip]
    longest: int


def open_clips(name: str, choice: Choice, faults: Faults) -> Opened:
    """The clips of a data set: of the built one if it exists, otherwise of the downloaded folder.

    Args:
      name: name of the data set.
      choice: folder, split, and options of rendered data sets.
      faults: collects unreadable clips.

    Raises:
      ValueError: the data set is unknown, missing, empty, has another layout, lacks the requested
        licences, or is not built and not in a local folder.
    """
    builder, _ = data.find(name)
    if is_built(name, choice.folder):
        return _open_built(name, choice)
    if builder.LAYOUT and choice.folder is not None and remote.is_remote(choice.folder):
        raise ValueError(
            f"{choice.folder} must contain the built {name}, as published files are read only from "
            f"local folders; run `python -m vfi_jax.data.build {name}` and copy the result there"
        )
    split = choice.split_of(name)
    clips = data.clips(name, choice.folder, split, **_options(builder, choice, faults))
    long = [clip for clip in clips if len(clip.frames) >= choice.shortest]
    return Opened(long, max((len(clip.frames) for clip in long), default=0))


def _options(builder, choice, faults) -> dict[str, Any]:
    """The options of a choice that a builder's `clips` accepts."""
    # A quarter larger than the crop on each axis, so that random crops differ.
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
            f"licences are not stored in built data sets; pass the original folder of {name}"
        )
    # Needed only for sets built with TFDS.
    from vfi_jax.data.tfds_builder import count_frames, open_built

    split = choice.split_of(name)
    clips: Sequence[Clip] = _Built(open_built(name, choice.folder, split))
    counts = count_frames(name, choice.folder, split)
    if counts is None:  # built before counts were stored
        return Opened(clips, choice.frames)
    fewest, most = counts
    if fewest < choice.shortest:
        # Only the records tell which clips are short.
        long = [i for i, clip in enumerate(clips) if len(clip.frames) >= choice.shortest]
        clips = _Part(clips, long)
    return Opened(clips, most)


class _Built(Sequence):
    """Stored examples as clips with frames as encoded bytes."""

    def __init__(self, examples: Sequence[dict]):
        self._examples = examples

    def __len__(self) -> int:
        return len(self._examples)

    def __iter__(self) -> Iterator[Clip]:
        # array_record raises no IndexError past the end, which Sequence's iteration relies on.
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index):
        example = self._examples[index]
        inputs = tuple(map(int, example["inputs"]))
        return Clip(example["name"].decode(), tuple(example["frames"]), inputs)


class _Part(Sequence):
    """A subset of a random-access data set."""

    def __init__(self, whole: Sequence[Clip], indices: list[int]):
        self._whole, self._indices = whole, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index):
        return self._whole[self._indices[index]]
