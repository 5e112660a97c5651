"""Which clips are drawn from, and how."""

import dataclasses
from pathlib import Path

from vfi_jax import data

HELD_OUT = "held-out"  # of each data set what it does not train on: "val", or "test" without one


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
      licences: classes of licence to draw from, where a data set knows them; empty: all.
      shard: (process, processes): this process draws every `processes`-th clip.
      strict: a clip that cannot be read is an error; else it is left out, with a warning.
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
    strict: bool = False

    def split_of(self, name: str) -> str:
        """The split that is drawn from of a data set.

        Raises:
          ValueError: no such data set.
        """
        if self.split != HELD_OUT:
            return self.split
        return "val" if "val" in data.find(name)[0].SPLITS else "test"
