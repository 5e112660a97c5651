"""`python -m vfi_jax.data.build NAME --data-dir D`: stores a data set for fast training."""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, NamedTuple

import tyro

from vfi_jax.guard import guarded

MANUAL = "downloads/manual"  # where TFDS expects what people download themselves


@dataclasses.dataclass(frozen=True)
class Options:
    """Build a data set from the tree that its authors publish.

    Frames are stored as they are, in array_record files that training reads in any order.
    """

    name: Annotated[str, tyro.conf.Positional]
    """Data set, such as vimeo90k/triplet, or video_folder."""

    data_dir: Path
    """Where to build."""

    root: Path | None = None
    """The downloaded tree; DATA_DIR/downloads/manual by default."""

    strict: bool = False
    """Stop at the first clip that cannot be decoded; else it is left out, with a warning."""

    beam_runner: str = ""
    """Build on Apache Beam with this runner, such as DirectRunner or DataflowRunner."""


class ClipCounts(NamedTuple):
    """Clips of a split.

    Attributes:
      stored: those that were decoded and stored.
      left_out: those that cannot be decoded; a video that cannot be read counts as one.
    """

    stored: int
    left_out: int


def build(options: Options) -> dict[str, ClipCounts]:
    """Builds a data set.

    Args:
      options: what, from where and to where.

    Returns:
      The counts, by split.

    Raises:
      ValueError: unknown data set, its folder is laid out otherwise, or nothing of it can be
        decoded; or a clip cannot be, where that is an error.
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
    """Parses the command line and builds; returns the exit code."""
    options = tyro.cli(Options, prog="python -m vfi_jax.data.build")

    def action():
        counts = build(options)
        print(", ".join(f"{split}: {_in_words(one)}" for split, one in counts.items()))
        return 0

    return guarded(action, prog="build")


def _in_words(counts):
    left_out = f" ({counts.left_out} left out: not decodable)" if counts.left_out else ""
    return f"{counts.stored} clips{left_out}"


if __name__ == "__main__":
    sys.exit(main())
