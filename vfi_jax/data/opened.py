"""Opening data sets: built ones with TFDS, others from their published files."""

import itertools
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from vfi_jax import data, remote
from vfi_jax.data import sizes
from vfi_jax.data.choice import HELD_OUT, Choice
from vfi_jax.data.clip import Clip
from vfi_jax.data.faults import Faults
from vfi_jax.data.layout import is_built


class Opened(NamedTuple):
    """The clips of one or several data sets with enough frames of sufficient size.

    Attributes:
      clips: the clips, by index.
      longest: number of frames of the longest clip.
      small: the clips that are smaller than the crop.
    """

    clips: Sequence[Clip]
    longest: int
    small: Sequence[sizes.Measured] = ()


def open_clips(choice: Choice, faults: Faults) -> Opened:
    """The clips of all data sets: of a built one if it exists, otherwise of the downloaded folder.

    Clips smaller than the crop are skipped with one warning for all, unless `choice.strict`.

    Args:
      choice: data sets, folder, split, and options of rendered data sets.
      faults: collects unreadable clips.

    Raises:
      ValueError: a data set is unknown, missing, has another layout, lacks the requested licences,
        or is not built and not in a local folder; or no clip remains.
    """
    parts = [_open(name, choice, faults) for name in choice.names]
    clips = _Joined([part.clips for part in parts])
    small = [clip for part in parts for clip in part.small]
    what = f"{', '.join(choice.names)} in {choice.split!r}"
    if small and choice.strict:
        sizes.check(choice.crop, small[0].name, small[0].size)
    if not clips and small:
        largest = max(small, key=lambda clip: np.prod(clip.size or 0))
        way = ", or disable evaluation (--eval-every 0)" if choice.split == HELD_OUT else ""
        raise ValueError(
            f"crop {choice.crop} does not fit into any clip of {what}; the largest is "
            f"{largest.name} of {largest.size}; use a smaller crop or larger clips{way}"
        )
    if not clips:
        raise ValueError(f"no clip of {what} has {choice.shortest} frames or more")
    if small:
        warnings.warn(
            f"{len(small)} of {len(small) + len(clips)} clips are smaller than the crop "
            f"{choice.crop} and were skipped: {sizes.listed([clip.name for clip in small])}",
            stacklevel=2,
        )
    return Opened(clips, max(part.longest for part in parts), small)


def _open(name, choice, faults):
    builder, _ = data.find(name)
    if is_built(name, choice.folder):
        return _open_built(name, choice)
    if builder.LAYOUT and choice.folder is not None and remote.is_remote(choice.folder):
        raise ValueError(
            f"{choice.folder} must contain the built {name}, as published files are read only from "
            f"local folders; run `python -m vfi_jax.data.build {name}` and copy the result there"
        )
    split = choice.split_of(name)
    return _chosen(
        list(data.clips(name, choice.folder, split, **_options(builder, choice, faults))), choice
    )


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
    from vfi_jax.data.tfds_builder import open_built, read_bounds

    split = choice.split_of(name)
    clips = _Built(open_built(name, choice.folder, split))
    bounds = read_bounds(name, choice.folder, split)
    # Of older sets, the first clip stands for all; others are checked when they are read.
    size = bounds.size if bounds and bounds.size else sizes.measure(_Part(clips, [0]))[0].size
    enough = bounds is None or bounds.shortest >= choice.shortest
    if enough and (size is None or sizes.fits(choice.crop, size)):
        return Opened(clips, bounds.longest if bounds else choice.frames)
    return _chosen(clips, choice)  # only the records tell which clips are short or small


def _chosen(clips: Sequence[Clip], choice: Choice) -> Opened:
    """The clips with enough frames that are not smaller than the crop."""
    measured = sizes.measure(clips)
    long = [i for i, clip in enumerate(measured) if clip.frames >= choice.shortest]
    # Clips whose size cannot be read are reported when they are drawn.
    small = [i for i in long if (size := measured[i].size) and not sizes.fits(choice.crop, size)]
    kept = sorted({*long} - {*small})
    longest = max((measured[i].frames for i in kept), default=0)
    return Opened(_Part(clips, kept), longest, [measured[i] for i in small])


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


class _Joined(Sequence):
    """Several random-access data sets as one."""

    def __init__(self, parts: Sequence[Sequence[Clip]]):
        self._parts = parts
        self._ends = np.cumsum([len(part) for part in parts])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __iter__(self) -> Iterator[Clip]:
        return itertools.chain.from_iterable(self._parts)

    def __getitem__(self, index):
        part = int(np.searchsorted(self._ends, index, side="right"))
        before = int(self._ends[part - 1]) if part else 0
        return self._parts[part][int(index) - before]
