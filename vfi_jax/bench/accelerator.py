"""Benchmark of all systems on this accelerator within a time limit, most important rows first.

Each row is yielded as soon as it is measured, so an interrupted run keeps its results.
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

PRECISIONS = ("default", "bfloat16", "highest")  # most common first
# Most important first; all other systems follow.
IMPORTANCE = ("tween", "shared_pyramid", "practical_rife", "rife", "dain", "zooming_slow_mo")


@dataclasses.dataclass(frozen=True)
class Setting:
    """Settings of one row.

    Attributes:
      name: name of the system.
      size: height and width of its output.
      precision: precision of float32 convolutions, "highest" or "default"; or "bfloat16".
      batch: number of windows per call.
      training: measure a training step instead of inference.
    """

    name: str
    size: tuple[int, int]
    precision: str
    batch: int
    training: bool


@dataclasses.dataclass(frozen=True)
class Measured:
    """Measurements of one setting.

    Attributes:
      setting: the setting.
      milliseconds: median time per call.
      frames_per_second: new frames per second, over the whole batch.
      teraflops: TFLOP/s of convolutions and matrix products.
      gigabytes_per_second: lower bound of the memory traffic of those.
      roofline: minimum time by the measured limits of this device / measured time.
      peak_megabytes: arguments, results and temporaries.
      compile_seconds: tracing, lowering and compiling, with several settings in parallel.
      error: why there are no measurements, such as insufficient memory; empty otherwise.
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
    """All settings, most important first.

    First every system at the first size, batch size and precision; then the other precisions,
    training, the other sizes and the other batch sizes.

    Args:
      names: names of the systems; all by default.
      sizes: heights and widths.
      batches: numbers of windows per call.
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
    """Measure settings one at a time until the time limit.

    Several programs compile in parallel; each runs alone.

    Args:
      bench: this machine.
      chosen: the settings, in order.
      seconds: time limit after which no further program is compiled or run.
      workers: number of programs compiled in parallel.
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
                except jax.errors.JaxRuntimeError as error:  # usually out of memory
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
