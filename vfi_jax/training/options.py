"""Options of a run; None means the recipe's value."""

import dataclasses
from typing import Annotated

import tyro


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Options of `vfi-jax train` and of `vfi_jax.training.train`."""

    system: Annotated[str, tyro.conf.Positional] = ""
    """System or variant to train, such as sepconv or dain/small."""

    recipe: str = ""
    """Your own recipe instead of SYSTEM, as package.module:NAME."""

    workdir: str
    """Output folder: local, or in an object store, such as gs://bucket/run."""

    data: tuple[str, ...] = ()
    """Names of data sets to mix. Default: those of the recipe."""

    data_dir: str | None = None
    """Folder of built data sets, local or in gs://; or local folder of published files or of
    videos."""

    licences: tuple[str, ...] = ()
    """Licence classes of a video_folder's index.json to train on, such as MIT. Default: all."""

    steps: int | None = None
    """Number of optimiser steps."""

    batch: int | None = None
    """Global batch size: clips per step over all devices."""

    crop: tuple[int, int] | None = None
    """Height and width of the target crop in pixels."""

    gaps: tuple[int, ...] = ()
    """Allowed distances between input frames, in frames."""

    learning_rate: float | None = None
    """Peak learning rate."""

    ema: float | None = None
    """Decay of the moving average of the parameters; 0 disables it."""

    bf16: bool = False
    """Compute convolutions in bfloat16; parameters, flows and losses stay float32."""

    accumulate: int = 1
    """Number of gradient accumulation steps per batch, to save memory."""

    resident: bool = False
    """Keep the whole data set on the device as uint8 (needs no tfds or grain)."""

    strict: bool = False
    """Fail at a clip that is unreadable or smaller than the crop. Default: skip with a warning."""

    scenes: int = 64
    """Number of scenes of rendered data sets."""

    steps_per_dispatch: int = 1
    """Optimiser steps per device call; more hide the overhead of Python and launches."""

    seed: int = 0
    """Random seed for initialisation, shuffling and augmentation."""

    resume: bool = False
    """Resume from the last valid checkpoint in WORKDIR."""

    start_from: str = ""
    """Initial weights: a name, a file or a folder, also in an object store. Default: random
    initialisation. For practical_rife, shared_pyramid, tween and film this selects fine-tuning
    settings: your videos, 3000 steps, batch 8, Adam with 100 warm-up steps and a peak learning rate
    of 3e-5, 1e-4, 1e-4 and 1e-5. The log states them; other options override them."""

    full_recipe: bool = False
    """Keep the settings of the recipe with --start-from, instead of those for fine-tuning."""

    log_every: int = 50
    """Steps between log lines."""

    loggers: tuple[str, ...] = ()
    """Metrics loggers beside metrics.jsonl: tensorboard, wandb, or a logger of an installed
    package. Default: TensorBoard, if installed."""

    profile: str = ""
    """Steps to trace with jax.profiler into WORKDIR/profile, as FIRST:STOP, such as 100:110."""

    eval_every: int = 1000
    """Steps between evaluations on held-out clips; 0 disables them."""

    save_every: int = 1000
    """Steps between checkpoints."""

    keep: int = 3
    """Number of checkpoints to keep, at least 2; older ones are deleted."""

    coordinator: str = ""
    """HOST:PORT of process 0, for a run on several hosts; clusters that JAX knows need "auto"."""

    processes: int | None = None
    """Number of processes."""

    process: int | None = None
    """Index of this process."""

    def words(self) -> list[str]:
        """The arguments of `vfi-jax train` for these options."""
        words = [self.system] if self.system else []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value == field.default or field.name == "system":
                continue
            words.append(f"--{field.name.replace('_', '-')}")
            if value is not True:
                words += map(str, value if isinstance(value, tuple) else [value])
        return words
