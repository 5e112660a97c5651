"""All systems on this machine's accelerator, the most telling rows first, within a budget of time.

Every row is handed over as soon as it is measured: a run that is cut off keeps what it has.
"""

import dataclasses
import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp

from vfi_jax import lookup, registry
from vfi_jax.bench import costs
from vfi_jax.bench.cases import created, inference, shapes, training_step
from vfi_jax.bench.measure import Bench, platform

PRECISIONS = ("default", "bfloat16", "highest")  # most used first
# Most asked for first; systems that are not named come last.
IMPORTANCE = ("shared_pyramid", "tween", "practical_rife", "rife", "dain", "zooming_slow_mo")


@dataclasses.dataclass(frozen=True)
class Setting:
    """One row to measure.

    Attributes:
      name: of the system.
      size: height and width of its output.
      precision: "highest" or "default" of float32 convolutions, or "bfloat16".
      batch: windows at once.
      training: a step of training in place of inference.
    """

    name: str
    size: tuple[int, int]
    precision: str
    batch: int
    training: bool


@dataclasses.dataclass(frozen=True)
class Measured:
    """What was measured of a setting.

    Attributes:
      setting: what ran.
      milliseconds: of a call, the median.
      frames_per_second: new frames, of the whole batch.
      teraflops: per second, of convolutions and products.
      gigabytes_per_second: that those read and wrote at least.
      roofline: least time that this device's measured limits allow, over the time taken.
      peak_megabytes: arguments, results and temporaries.
      compile_seconds: tracing, lowering and compiling, several settings side by side.
      error: why there are no figures, such as too little memory; empty otherwise.
    """

    setting: Setting
    milliseconds: float = 0.0
    frames_per_second: float = 0.0
    teraflops: float = 0.0
    gigabytes_per_second: float = 0.0
    roofline: float = 0.0
    peak_megabytes: float = 0.0
    compile_seconds: float = 0.0
    error: str = ""


def settings(
    names: Sequence[str] = (),
    *,
    sizes: Sequence[tuple[int, int]] = ((720, 1280), (1080, 1920)),
    batches: Sequence[int] = (1, 8),
) -> list[Setting]:
    """All settings in the order of their importance.

    First every system once at the first size, batch and precision; then the further precisions,
    training, sizes and batches.

    Args:
      names: of the systems; all by default.
      sizes: heights and widths.
      batches: windows at once.
    """
    known = lookup.modules(registry.MODELS)
    ranked = sorted(names or known, key=lambda name: _rank(registry.split(name)[0]))
    product = itertools.product(batches, sizes, (False, True), PRECISIONS)
    return [
        Setting(name, size, precision, batch, training)
        for batch, size, training, precision in product
        for name in ranked
    ]


def measure(
    bench: Bench, chosen: Iterable[Setting], *, seconds: float, workers: int
) -> Iterator[Measured]:
    """The rows one after the other, until the time is over.

    Programs compile side by side, a few at a time, and run alone.

    Args:
      bench: this machine.
      chosen: in the order to measure.
      seconds: after which no further program is compiled or run.
      workers: programs that are compiled at once.
    """
    end = time.monotonic() + seconds
    waiting = iter(chosen)
    with ThreadPoolExecutor(workers) as pool:
        while time.monotonic() < end and (group := list(itertools.islice(waiting, workers))):
            compiled = [pool.submit(_compiled, setting) for setting in group]
            for setting, future in zip(group, compiled, strict=True):
                if time.monotonic() >= end:
                    future.cancel()
                    continue
                try:
                    yield _timed(bench, setting, *future.result())
                except jax.errors.JaxRuntimeError as error:  # too little memory, as a rule
                    yield Measured(setting, error=str(error).partition("\n")[0][:120])


def _compiled(setting: Setting) -> tuple[Any, tuple, costs.Costs, float]:
    start = time.perf_counter()
    options: dict[str, Any] = {"precision": setting.precision}
    if setting.precision == "bfloat16":
        options = {"precision": "default", "dtype": jnp.bfloat16}
    model = created(setting.name, options)
    arguments = shapes(model, setting.size, setting.batch, training=setting.training)
    function = (training_step if setting.training else inference)(model)
    compiled = jax.jit(function).lower(*arguments).compile()
    seconds = time.perf_counter() - start
    return compiled, arguments, costs.count(function, *arguments, platform=platform()), seconds


def _timed(bench, setting, compiled, arguments, needs, compile_seconds):
    arrays = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), arguments)
    seconds = bench.seconds(lambda: compiled(*arrays))
    memory = compiled.memory_analysis()
    peak = memory.argument_size_in_bytes + memory.output_size_in_bytes + memory.temp_size_in_bytes
    times = next(leaf for leaf in reversed(arguments) if getattr(leaf, "ndim", 0) == 2)
    return Measured(
        setting,
        milliseconds=1e3 * seconds,
        frames_per_second=times.size / seconds,
        teraflops=needs.flops / seconds / 1e12,
        gigabytes_per_second=needs.moved / seconds / 1e9,
        roofline=needs.seconds(bench.peaks) / seconds,
        peak_megabytes=peak / 1e6,
        compile_seconds=compile_seconds,
    )


def _rank(system):
    return IMPORTANCE.index(system) if system in IMPORTANCE else len(IMPORTANCE)
