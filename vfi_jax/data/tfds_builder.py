"""Any data set of `vfi_jax.data` as a TFDS builder: array_record files, no TensorFlow."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow_datasets as tfds

from vfi_jax import data
from vfi_jax.data import sizes
from vfi_jax.data.clip import Clip, encode_frame, read_frames
from vfi_jax.data.decoded import Decoded
from vfi_jax.data.faults import Faults, Unreadable
from vfi_jax.data.layout import WrongLayout, stored_name


class Encoded(tfds.decode.SkipDecoding):
    """Keeps images as stored bytes, to be decoded by the loader's threads.

    TFDS's own decoder does not support sequences.
    """

    def decode_batch_example_np(self, serialized_example: Any) -> Any:
        """The bytes."""
        return serialized_example


class Stored(tfds.core.MetadataDict):
    """`Bounds` by split, without a size in older built sets; empty in the oldest."""

    def load_metadata(self, data_dir: Any) -> None:
        """Reads them."""
        with contextlib.suppress(FileNotFoundError):
            super().load_metadata(data_dir)


# TFDS imports its base class lazily, so a type checker does not know it.
class ClipBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Stores the clips of one data set: names, encoded frames and input indices."""

    VERSION = tfds.core.Version("1.0.0")

    def __init__(
        self,
        *,
        data_set: str,
        root: Path | None,
        beam: bool = False,
        strict: bool = False,
        kept: Decoded | None = None,
        **kwargs: Any,
    ):
        """Prepare a builder.

        Args:
          data_set: its name, as in `vfi_jax.data.clips`.
          root: the download folder; None to read a built set.
          beam: generate with Apache Beam.
          strict: raise an error for clips that cannot be decoded; otherwise skip them with a
            warning.
          kept: stores decoded clips, and returns those of a stopped build; not used with Beam.
          **kwargs: options of TFDS, such as data_dir.
        """
        self._data_set, self._root, self._beam = data_set, root, beam
        self._faults = Faults(strict=strict)
        self._kept = kept
        self.listed: dict[str, int] = {}  # clips per split, decodable or not
        self.name = stored_name(data_set)
        super().__init__(file_format="array_record", **kwargs)

    def _info(self) -> tfds.core.DatasetInfo:
        features = tfds.features.FeaturesDict(
            {
                "name": tfds.features.Text(),
                "frames": tfds.features.Sequence(tfds.features.Image(shape=(None, None, 3))),
                "inputs": tfds.features.Sequence(tfds.features.Scalar(np.int32)),
            }
        )
        return tfds.core.DatasetInfo(
            builder=self, features=features, description=self._data_set, metadata=Stored()
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        del dl_manager  # users download these sets themselves
        builder, _ = data.find(self._data_set)
        options = {"faults": self._faults} if "faults" in data.options(builder) else {}
        splits: dict[str, Any] = {}
        absent: list[ValueError] = []
        for split in builder.SPLITS:
            # If only a part is present, such as the test archive, the splits found are built.
            try:
                before = len(self._faults.found)
                clips = list(data.clips(self._data_set, self._root, split, **options))
            except WrongLayout as error:
                absent.append(error)
                continue
            if not clips:
                absent.append(Unreadable(f"{self._root}: no clip of {split!r} can be read"))
                continue
            self.listed[split] = len(clips) + len(self._faults.found) - before
            splits[split] = self._examples(split, clips)
            self.info.metadata[split] = _bounds(sizes.measure(clips))
        if not splits:
            raise absent[0]
        return splits

    def _generate_examples(self, split: str, clips: list[Clip]) -> Iterator[tuple[str, dict]]:
        stored = 0
        for clip in clips:
            examples = self._decoded(split, clip)
            stored += len(examples)
            yield from examples
        if not stored:
            raise Unreadable(f"{self._root}: none of {len(clips)} clips can be decoded")

    def _decoded(self, split, clip):
        if self._kept is None:
            return _examples(clip, self._faults)
        if (example := self._kept.get(split, clip.name)) is not None:
            return [(clip.name, example)]
        examples = _examples(clip, self._faults)
        for _, example in examples:
            self._kept.put(split, example)
        return examples

    def _examples(self, split, clips):
        if not self._beam:
            return self._generate_examples(split, clips)
        import apache_beam as beam

        faults = self._faults
        return beam.Create(clips) | beam.FlatMap(lambda clip: _examples(clip, faults))


def open_built(data_set: str, data_dir: Any, split: str) -> Sequence[dict]:
    """The stored examples of a split, by index; frames are encoded bytes.

    Args:
      data_set: its name.
      data_dir: where it was built, as `layout.data_folder` returns it.
      split: its split.

    Raises:
      ValueError: the set or the split was not built.
    """
    builder = ClipBuilder(data_set=data_set, root=None, data_dir=data_dir)
    if split not in builder.info.splits:
        raise ValueError(f"{data_dir} has no {split!r} split of {data_set}; {_how(data_set)}")
    return builder.as_data_source(split=split, decoders={"frames": Encoded()})


class Bounds(NamedTuple):
    """Extremes of the clips of a split.

    Attributes:
      shortest: minimum number of frames.
      longest: maximum number of frames.
      size: minimum height and minimum width; None if the set was built before they were stored.
    """

    shortest: int
    longest: int
    size: sizes.Size | None


def read_bounds(data_set: str, data_dir: Any, split: str) -> Bounds | None:
    """The bounds of a split, as in `open_built`; None if it was built before they were stored."""
    builder = ClipBuilder(data_set=data_set, root=None, data_dir=data_dir)
    stored = builder.info.metadata.get(split)
    if not stored:
        return None
    shortest, longest, *size = stored
    return Bounds(shortest, longest, (size[0], size[1]) if size else None)


def _bounds(clips: Sequence[sizes.Measured]) -> list[int]:
    """`Bounds` as stored."""
    counts = [clip.frames for clip in clips]
    known = [clip.size for clip in clips if clip.size]
    smallest = [min(sides) for sides in zip(*known, strict=True)]
    return [min(counts), max(counts), *smallest]


def _how(data_set):
    return f"build it: python -m vfi_jax.data.build {data_set} --root DOWNLOADED --data-dir D"


def _examples(clip: Clip, faults: Faults) -> list[tuple[str, dict]]:
    """The stored form of a clip, decoded once as a check; empty if that fails."""
    with faults.passed_over():
        read_frames(clip, clip.frames)
        example = {
            "name": clip.name,
            "frames": [encode_frame(frame) for frame in clip.frames],
            "inputs": list(clip.inputs or (0, len(clip.frames) - 1)),
        }
        return [(clip.name, example)]
    return []
