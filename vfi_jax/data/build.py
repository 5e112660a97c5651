"""`python -m vfi_jax.data.build NAME --data-dir D`: stores a data set for fast training."""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

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

    beam_runner: str = ""
    """Build on Apache Beam with this runner, such as DirectRunner or DataflowRunner."""


def build(options: Options) -> dict[str, int]:
    """Builds a data set.

    Args:
      options: what, from where and to where.

    Returns:
      Clips stored, by split.

    Raises:
      ValueError: unknown data set, or its folder is laid out otherwise.
      OSError: a file of it is not there, or cannot be written.
    """
    import tensorflow_datasets as tfds

    from vfi_jax import data
    from vfi_jax.data.tfds_builder import ClipBuilder

    definition, _ = data.find(options.name)
    root = options.root or options.data_dir / MANUAL
    builder = ClipBuilder(
        source=options.name,
        root=root if definition.LAYOUT else None,
        beam=bool(options.beam_runner),
        data_dir=options.data_dir,
    )
    config = tfds.download.DownloadConfig(beam_runner=options.beam_runner or None)
    builder.download_and_prepare(download_config=config)
    return {name: split.num_examples for name, split in builder.info.splits.items()}


def main() -> int:
    """Parses the command line and builds; returns the exit code."""
    options = tyro.cli(Options, prog="python -m vfi_jax.data.build")

    def action():
        counts = build(options)
        print(", ".join(f"{split}: {count} clips" for split, count in counts.items()))
        return 0

    return guarded(action, prog="build")


if __name__ == "__main__":
    sys.exit(main())
