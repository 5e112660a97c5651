"""Options of a run; None leaves the choice to the recipe."""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro


@dataclasses.dataclass(frozen=True)
class Options:
    """Options of `vfi-jax train` and of `vfi_jax.training.train`."""

    system: Annotated[str, tyro.conf.Positional]
    """What to train: a system or a variant, such as sepconv or dain/small."""

    workdir: Path
    """Folder of the run."""

    data: tuple[str, ...] = ()
    """Data sets by name, mixed; the recipe's by default."""

    data_dir: Path | None = None
    """Where built data sets lie; for video_folder: the folder of videos."""

    licences: tuple[str, ...] = ()
    """Licence classes of a video_folder's index.json to train on, such as MIT; all by default."""

    steps: int | None = None
    """Steps of the optimiser."""

    batch: int | None = None
    """Clips in a step, over all devices."""

    crop: tuple[int, int] | None = None
    """Height and width of the targets, in pixels."""

    gaps: tuple[int, ...] = ()
    """Distances between inputs, in frames."""

    learning_rate: float | None = None
    """The highest of the schedule."""

    ema: float | None = None
    """Decay of the parameters' moving average; 0 keeps none."""

    bf16: bool = False
    """Convolutions in bfloat16; parameters, flows and losses stay float32."""

    accumulate: int = 1
    """Equal parts that a batch is worked off in, to save memory."""

    resident: bool = False
    """Keep the whole data set on the device as uint8 (needs no tfds or grain)."""

    strict: bool = False
    """Stop at a clip that cannot be read. Without this it is left out, with a warning."""

    scenes: int = 64
    """Scenes to render, where the data set is made and not read."""

    steps_per_dispatch: int = 1
    """Steps in one call of the device; more hide Python's and the launch's time."""

    seed: int = 0
    """Of the initial parameters, the order of clips and the augmentations."""

    resume: bool = False
    """Go on from the last valid checkpoint in WORKDIR."""

    start_from: str = ""
    """Weights to start from: a name or a folder; fresh ones by default."""

    log_every: int = 50
    """Steps between lines of metrics."""

    eval_every: int = 1000
    """Steps between evaluations on held-out clips; 0: none."""

    save_every: int = 1000
    """Steps between checkpoints."""

    keep: int = 3
    """Checkpoints kept, at least 2; older ones are deleted."""

    coordinator: str = ""
    """HOST:PORT of process 0, for a run on several hosts; clusters that JAX knows need "auto"."""

    processes: int | None = None
    """How many processes the run has."""

    process: int | None = None
    """Which of them this one is."""

    def words(self) -> list[str]:
        """What follows `vfi-jax train` on the command line that gives these options."""
        words = [self.system]
        for field in dataclasses.fields(self)[1:]:
            value = getattr(self, field.name)
            if value == field.default:
                continue
            words.append(f"--{field.name.replace('_', '-')}")
            if value is not True:
                words += map(str, value if isinstance(value, tuple) else [value])
        return words
