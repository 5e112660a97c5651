"""From names of data sets to a source of batches: on the device, or streamed from disk."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from vfi_jax import data
from vfi_jax.data.clip import Clip, pieces
from vfi_jax.data.layout import is_built
from vfi_jax.data.resident import Resident

HELD_OUT = "held-out"  # of each data set what it does not train on: "val", or "test" without one
RENDERED = {"synthetic", "moving_textures"}  # data sets without files, as many clips as asked for


class Source(Protocol):
    """Where batches come from. A draw depends on the seed and the step alone.

    Attributes:
      arrays: what the jitted step takes once, by name; may be empty.
      frames: frames of the longest clip that is drawn.
    """

    @property
    def arrays(self) -> dict:
        """See above."""

    @property
    def frames(self) -> int:
        """See above."""

    def draw(self, step: int) -> dict:
        """What this process loads for a step: NumPy arrays, their first axis its clips."""

    def gather(self, arrays: dict, drawn: dict) -> dict:
        """The raw clips of a draw, under jit, as `data.batch.Preparation` takes them."""

    def names(self, step: int) -> list[str]:
        """Names of the clips that this process loads for a step."""

    def close(self) -> None:
        """Stops what runs in the background."""


@dataclasses.dataclass(frozen=True)
class Choice:
    """Which clips to draw from, and how.

    Attributes:
      names: of data sets, such as ("vimeo90k/triplet", "synthetic").
      folder: where they lie: a built data set's `data_dir`, or the tree as it was downloaded.
      split: "train", "val", "test" or `HELD_OUT`.
      batch: clips in a step, of this process.
      crop: height and width that every clip must have at least.
      region: height and width that are loaded of a clip that is streamed, as far as it has them;
        the crop's by default.
      seed: of the order and of everything that is drawn for a clip.
      resident: keep all clips on the device.
      frames: longest run of frames drawn from a clip.
      loaded: frames that are loaded of a clip that is streamed, as far as it has them; `frames` by
        default.
      shortest: fewest frames that a window takes; shorter clips are left out.
      scenes: clips that a rendered data set has.
      licences: classes of "video_folder" to draw from; empty: all.
      shard: (process, processes): this process draws every `processes`-th clip.
    """

    names: tuple[str, ...]
    folder: Path | None = None
    split: str = "train"
    batch: int = 1
    crop: tuple[int, int] = (256, 256)
    region: tuple[int, int] | None = None
    seed: int = 0
    resident: bool = False
    frames: int = 9
    loaded: int | None = None
    shortest: int = 3
    scenes: int = 64
    licences: tuple[str, ...] = ()
    shard: tuple[int, int] = (0, 1)

    def split_of(self, name: str) -> str:
        """The split that is drawn from of a data set.

        Raises:
          ValueError: no such data set.
        """
        if self.split != HELD_OUT:
            return self.split
        return "val" if "val" in data.find(name)[0].SPLITS else "test"


def open_source(choice: Choice) -> Source:
    """The source that a choice describes.

    Raises:
      ValueError: a data set is unknown, absent, empty or laid out otherwise.
    """
    if choice.licences and "video_folder" not in choice.names:
        raise ValueError(f"licences choose among videos of video_folder, not {choice.names}")
    if choice.resident or RENDERED.issuperset(choice.names):
        return Resident(
            itertools.chain.from_iterable(
                pieces(clip, choice.frames, choice.shortest) for clip in read_clips(choice)
            ),
            batch=choice.batch,
            crop=choice.crop,
            seed=choice.seed,
            shard=choice.shard,
        )
    # Streaming needs tfds and grain, which machines that train from memory may lack.
    from vfi_jax.data.pipeline import Streamed

    return Streamed(choice)


def read_clips(choice: Choice, names: tuple[str, ...] = ()) -> Iterator[Clip]:
    """The clips of the named data sets (all by default), one after the other.

    Raises:
      ValueError: a data set is unknown, absent, empty or laid out otherwise.
    """
    # A quarter more than the crop on each axis, so that crops differ.
    size = tuple(side * 5 // 4 for side in choice.crop)
    options = {
        "synthetic": {"scenes": choice.scenes, "size": size, "frames": choice.frames},
        "moving_textures": {"scenes": choice.scenes, "size": size},
        "video_folder": {
            "licences": choice.licences,
            "frames": choice.frames,
            "shortest": choice.shortest,
        },
    }
    for name in names or choice.names:
        if is_built(name, choice.folder):
            yield from map(_clip, read_built(name, choice))
        else:
            split = choice.split_of(name)
            yield from data.clips(name, choice.folder, split, **options.get(name, {}))


def read_built(name: str, choice: Choice) -> Sequence[dict]:
    """The stored examples of a data set that was built, by index; frames are encoded bytes.

    Raises:
      ValueError: the split was not built, or licences are asked for.
    """
    if choice.licences:
        raise ValueError(
            f"licences are not stored in built data sets; name the folder of {name} itself"
        )
    # Only what was built by TFDS needs it.
    from vfi_jax.data.tfds_builder import open_built

    assert choice.folder is not None
    return open_built(name, choice.folder, choice.split_of(name))


def _clip(example):
    inputs = tuple(map(int, example["inputs"]))
    return Clip(example["name"].decode(), tuple(example["frames"]), inputs)
