"""`python -m vfi_jax.data.build NAME --data-dir D`: converts a data set for fast training."""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, NamedTuple

import tyro

from vfi_jax.guard import guarded

MANUAL = "downloads/manual"  # where TFDS expects manual downloads


@dataclasses.dataclass(frozen=True)
class Options:
    """Build a data set from its published files.

    Frames are stored unchanged in array_record files with random access.
    """

    name: Annotated[str, tyro.conf.Positional]
    """Data set, such as vimeo90k/triplet, or video_folder."""

    data_dir: Path
    """Output folder."""

    root: Path | None = None
    """Downloaded folder. Default: DATA_DIR/downloads/manual."""

    strict: bool = False
    """Fail at the first clip that cannot be decoded. Default: skip it with a warning."""

    beam_runner: str = ""
    """Apache Beam runner, such as DirectRunner or DataflowRunner. Default: no Beam."""


class ClipCounts(NamedTuple):
    """Numbers of clips of a split.

    Attributes:
      stored: number of stored clips.
      left_out: number of skipped clips that cannot be decoded; an unreadable video counts as one.
    """

    stored: int
    left_out: int


def build(options: Options) -> dict[str, ClipCounts]:
    """Build a data set.

    Args:
      options: name, source and destination.

    Returns:
      The counts, by split.

    Raises:
      ValueError: unknown data set, its folder has another layout, or no clip can be decoded; with
        `strict` also if a single clip cannot be.
      OSError: a file cannot be written.
    """
    import tensorflow_datasets as tfds

    from vfi_jax import data
    from vfi_jax.data.tfds_builder import ClipBuilder

    definition, _ = data.find(options.name)
    root = options.root or options.data_dir / MANUAL
    builder = ClipBuilder(
        data_set=options.name,
        root=root if definition.LAYOUT else None,
        beam=bool(options.beam_runner),
        strict=options.strict,
        data_dir=options.data_dir,
    )
    config = tfds.download.DownloadConfig(beam_runner=options.beam_runner or None)
    builder.download_and_prepare(download_config=config)
    stored = {name: split.num_examples for name, split in builder.info.splits.items()}
    return {
        name: ClipCounts(count, builder.listed.get(name, count) - count)
        for name, count in stored.items()
    }


def main() -> int:
    """Parse the command line and build; return the exit code."""
    options = tyro.cli(Options, prog="python -m vfi_jax.data.build")

    def action():
        counts = build(options)
        print(", ".join(f"{split}: {_in_words(one)}" for split, one in counts.items()))
        return 0

    return guarded(action, prog="build")


def _in_words(counts):
    left_out = f" ({counts.left_out} skipped: not decodable)" if counts.left_out else ""
    return f"{counts.stored} clips{left_out}"


if __name__ == "__main__":
    sys.exit(main())
