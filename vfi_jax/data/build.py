"""`python -m vfi_jax.data.build NAME --data-dir D`: converts a data set for fast training."""

import contextlib
import dataclasses
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import filelock
import tyro

from vfi_jax import arguments, remote
from vfi_jax.guard import guarded

if TYPE_CHECKING:
    from vfi_jax.data.decoded import Decoded

COPY_FIRST = "copy the files to this machine (`gcloud storage cp -r`), or mount the bucket"
COPY_AFTER = "build in a local folder and copy it there (`gcloud storage cp -r`)"
MANUAL = "downloads/manual"  # where TFDS expects manual downloads


@dataclasses.dataclass(frozen=True)
class Options:
    """Build a data set from its published files.

    Frames are stored unchanged in array_record files with random access. A stopped build continues:
    decoded clips are kept in DATA_DIR until the set is complete, unless a source file changes.
    """

    name: Annotated[str, tyro.conf.Positional]
    """Data set, such as vimeo90k/triplet, or video_folder."""

    data_dir: str
    """Output folder, on this machine."""

    root: str | None = None
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
        `strict` also if a single clip cannot be; or another process builds it.
      OSError: a file cannot be written.
    """
    import tensorflow_datasets as tfds

    from vfi_jax import data
    from vfi_jax.data.layout import is_built
    from vfi_jax.data.tfds_builder import ClipBuilder

    definition, _ = data.find(options.name)
    folder = remote.on_this_machine(options.data_dir, option="--data-dir", way=COPY_AFTER)
    root = remote.on_this_machine(options.root or folder / MANUAL, option="--root", way=COPY_FIRST)
    beam = bool(options.beam_runner)
    with contextlib.ExitStack() as stack:
        # Nothing is kept for a complete set or a build with Beam.
        keeps = not beam and not is_built(options.name, folder)
        kept = stack.enter_context(_kept(options.name, folder, root)) if keeps else None
        builder = ClipBuilder(
            data_set=options.name,
            root=root if definition.LAYOUT else None,
            beam=beam,
            strict=options.strict,
            kept=kept,
            data_dir=folder,
        )
        config = tfds.download.DownloadConfig(beam_runner=options.beam_runner or None)
        builder.download_and_prepare(download_config=config)
        if kept is not None:
            kept.remove()
    stored = {name: split.num_examples for name, split in builder.info.splits.items()}
    return {
        name: ClipCounts(count, builder.listed.get(name, count) - count)
        for name, count in stored.items()
    }


@contextlib.contextmanager
def _kept(name: str, folder: Path, root: Path) -> Iterator["Decoded"]:
    """The clips decoded by a stopped build; locked by one process at a time."""
    from vfi_jax.data.decoded import Decoded, fingerprint
    from vfi_jax.data.layout import stored_name

    folder.mkdir(parents=True, exist_ok=True)
    stored = stored_name(name)
    lock = filelock.FileLock(folder / f".{stored}.lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise ValueError(f"another process builds {name} in {folder}; wait for it") from None
    with lock:
        for left in (folder / stored).glob("incomplete.*"):  # left by TFDS in a killed process
            shutil.rmtree(left)
        own = str(folder / stored)
        source = fingerprint(root, without=own) if root.is_dir() else ""
        with Decoded(folder / f"{stored}.decoded", source) as decoded:
            if len(decoded):
                print(f"reusing {len(decoded)} clips decoded earlier")
            yield decoded


def main() -> int:
    """Parse the command line and build; return the exit code."""

    def action():
        counts = build(arguments.parse(Options, prog="python -m vfi_jax.data.build"))
        print(", ".join(f"{split}: {_in_words(one)}" for split, one in counts.items()))
        return 0

    return guarded(action, prog="build")


def _in_words(counts):
    left_out = f" ({counts.left_out} skipped: not decodable)" if counts.left_out else ""
    return f"{counts.stored} clips{left_out}"


if __name__ == "__main__":
    sys.exit(main())
