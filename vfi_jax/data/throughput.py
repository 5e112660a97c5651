"""`python -m vfi_jax.data.throughput NAME --data-dir D`: clips per second of both pipelines."""

import dataclasses
import sys
import time
from typing import Annotated

import tyro

from vfi_jax import arguments
from vfi_jax.data import layout
from vfi_jax.data.choice import Choice
from vfi_jax.guard import guarded

FRAMES = 3  # frames per clip: a triplet
WARM_UP = 2  # steps for compilation and filling the buffers


@dataclasses.dataclass(frozen=True)
class Options:
    """Measure how fast training batches are prepared, from disk and from device memory."""

    name: Annotated[str, tyro.conf.Positional]
    """Data set, such as vimeo90k/triplet, or video_folder."""

    data_dir: str
    """Folder of the built data set, local or in gs://, or the downloaded folder."""

    split: str = "train"
    """Split of the data set."""

    crop: tuple[int, int] = (128, 128)
    """Height and width of the crop in pixels."""

    batch: int = 16
    """Clips per step."""

    seconds: float = 10.0
    """Duration of the measurement per pipeline, in seconds."""


def measure(choice: Choice, seconds: float) -> float:
    """Clips per second from a data set to augmented batches on the device, after a warm-up.

    Args:
      choice: which clips to draw.
      seconds: duration of the measurement.

    Raises:
      ValueError: a data set is unknown, missing, empty or has another layout.
    """
    import jax

    from vfi_jax.contract import Contract
    from vfi_jax.data.batch import Preparation
    from vfi_jax.data.batch_source import open_batch_source

    source = open_batch_source(choice)
    prepare = Preparation(Contract(frames=2, times=(0.5,)), source.frames, choice.crop)
    step = jax.jit(lambda arrays, drawn: prepare(source.gather(arrays, drawn)))
    arrays = jax.device_put(source.arrays)
    try:
        for number in range(WARM_UP):
            jax.block_until_ready(step(arrays, source.draw(number)))
        number, start = WARM_UP, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < seconds:
            jax.block_until_ready(step(arrays, source.draw(number)))
            number += 1
    finally:
        source.close()
    return (number - WARM_UP) * choice.batch / elapsed


def main() -> int:
    """Parse the command line and measure; return the exit code."""

    def action():
        options = arguments.parse(Options, prog="python -m vfi_jax.data.throughput")
        choice = Choice(
            names=(options.name,),
            folder=layout.data_folder(options.data_dir),
            split=options.split,
            batch=options.batch,
            crop=options.crop,
            frames=FRAMES,
        )
        for label, resident in (("streamed from disk", False), ("kept on the device", True)):
            kept = dataclasses.replace(choice, resident=resident)
            print(f"{label}: {measure(kept, options.seconds):.0f} clips/s")
        return 0

    return guarded(action, prog="throughput")


if __name__ == "__main__":
    sys.exit(main())
