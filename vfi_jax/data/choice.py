"""Selection of training clips."""

import dataclasses
from typing import Any

from vfi_jax import data

HELD_OUT = "held-out"  # the split not used for training: "val", or "test" if there is none


@dataclasses.dataclass(frozen=True)
class Choice:
    """Which clips to draw, and how.

    Attributes:
      names: names of data sets, such as ("vimeo90k/triplet", "synthetic").
      folder: `data_dir` of a built data set, as `layout.data_folder` returns it, or the downloaded
        folder.
      split: "train", "val", "test" or `HELD_OUT`.
      batch: clips per step of this process.
      crop: minimum height and width of every clip.
      region: maximum height and width loaded from a streamed clip; default: the crop.
      seed: random seed for the order of clips and their augmentation.
      resident: keep all clips on the device.
      frames: maximum number of consecutive frames drawn from a clip.
      loaded: maximum number of frames loaded from a streamed clip; default: `frames`.
      shortest: minimum number of frames of a window; shorter clips are skipped.
      scenes: number of clips of a rendered data set.
      licences: licence classes to use, if the data set records them; empty: all.
      shard: (process index, number of processes): this process draws every n-th clip.
      strict: raise an error for unreadable clips; otherwise skip them with a warning.
    """

    names: tuple[str, ...]
    folder: Any = None
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
        """The split to use of a data set.

        Raises:
          ValueError: unknown data set.
        """
        if self.split != HELD_OUT:
            return self.split
        return "val" if "val" in data.find(name)[0].SPLITS else "test"
