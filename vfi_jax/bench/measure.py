"""Timing of cases after warm-up, compared with the limits of the machine."""

import dataclasses
import functools
import math
import runpy
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from vfi_jax import ops
from vfi_jax.bench import costs
from vfi_jax.bench.cases import Case
from vfi_jax.devices import Peaks

SAMPLE = 0.01  # minimum duration in seconds of a sample on an accelerator, where calls are queued
COPY = {"cpu": 2**26, "default": 2**30}  # bytes copied to measure the bandwidth
PRODUCT = {"cpu": 1024, "default": 8192}  # size of the matrices multiplied to measure FLOP/s


@dataclasses.dataclass(frozen=True)
class Row:
    """Measurements of a case.

    Attributes:
      name: name of the operation or model.
      detail: description of the case.
      gradients: whether the backward pass is included.
      backend: "xla" or "pallas".
      dtype: type of the arrays.
      size: height and width.
      milliseconds: median time per call.
      gigabytes: lower bound of the memory traffic: arguments and results once.
      gigaflops: required by the definition, times three with gradients; for models, those of
        convolutions and matrix products.
      gigabytes_per_second: achieved bandwidth.
      roofline: minimum time by bandwidth and FLOP/s of this device / measured time.
      peak_megabytes: arguments, results and temporaries.
      temporary_megabytes: temporaries only.
      compile_seconds: compile time, needed once per size.
      ratio: median of (our time / rival's time) over pairs of calls; None without a rival.
    """

    name: str
    detail: str
    gradients: bool
    backend: str
    dtype: str
    size: tuple[int, int]
    milliseconds: float
    gigabytes: float
    gigaflops: float
    gigabytes_per_second: float
    roofline: float
    peak_megabytes: float
    temporary_megabytes: float
    compile_seconds: float
    ratio: float | None = None


class Bench:
    """The default device and its limits, which are measured at construction.

    Attributes:
      clock: clock in seconds; CPU time on a pinned core, which other processes hardly disturb.
      device: name of the device.
      bandwidth: bytes per second of a large copy, reads plus writes.
      arithmetic: FLOP/s of a large float32 matrix product.
    """

    def __init__(self, *, repeats: int = 7, clock: Callable[[], float] = time.perf_counter):
        if repeats < 1:
            raise ValueError(f"repeats must be at least 1, got {repeats}")
        # Dispatching to another thread can wait milliseconds for the scheduler on a busy machine.
        jax.config.update("jax_cpu_enable_async_dispatch", False)
        self.repeats = repeats
        self.clock = clock
        self.device = jax.devices()[0].device_kind
        self.bandwidth = self._bandwidth()
        self.arithmetic = self._arithmetic()

    def run(
        self,
        case: Case,
        *,
        size: tuple[int, int],
        gradients: bool = False,
        backend: str = "xla",
        dtype: str = "float32",
        rival: Callable[[], Any] | None = None,
    ) -> Row:
        """Measure a case.

        Args:
          case: the case to run.
          size: height and width, recorded in the row.
          gradients: include the gradients with respect to all arrays.
          backend: "xla" or "pallas".
          dtype: type of the arrays; flows and kernels stay float32 if the operation requires it.
          rival: another implementation of the same work, called alternately with the case. Default:
            the case's baseline, if it has one.

        Raises:
          ValueError: "pallas" on a CPU.
          NotImplementedError: the kernel does not support the case.
        """
        if backend == "pallas" and _on_cpu():
            raise ValueError("kernels are only interpreted on a CPU and cannot be timed")
        arrays = jax.tree.map(jnp.asarray, case.arrays)
        arrays = (_cast(arrays[0], dtype), *arrays[1:])
        function = case.function
        if gradients:
            function, arrays = _with_gradients(function, arrays)
        with ops.backend(backend):
            lowered = jax.jit(function).lower(*arrays)
        start = self.clock()
        compiled = lowered.compile()
        compile_seconds = self.clock() - start
        if rival is None and case.baseline is not None:
            baseline = jax.jit(case.baseline).lower(*arrays).compile()
            rival = functools.partial(baseline, *arrays)
        samples, ratios = self._samples(functools.partial(compiled, *arrays), rival)
        seconds = statistics.median(samples)
        memory = compiled.memory_analysis()
        assert memory is not None
        least = memory.argument_size_in_bytes + memory.output_size_in_bytes
        flops, bound = self._bound(case, arrays, least, gradients)
        return Row(
            name=case.name,
            detail=case.detail,
            gradients=gradients,
            backend=backend,
            dtype=dtype,
            size=size,
            milliseconds=1e3 * seconds,
            gigabytes=least / 1e9,
            gigaflops=flops / 1e9,
            gigabytes_per_second=least / seconds / 1e9,
            roofline=bound / seconds,
            peak_megabytes=(least + memory.temp_size_in_bytes) / 1e6,
            temporary_megabytes=memory.temp_size_in_bytes / 1e6,
            compile_seconds=compile_seconds,
            ratio=statistics.median(ratios) if ratios else None,
        )

    def seconds(self, call: Callable[[], Any]) -> float:
        """Median time of a call after warm-up."""
        return statistics.median(self._samples(call)[0])

    @functools.cached_property
    def peaks(self) -> Peaks:
        """Peak rates by precision, measured at first use."""
        return Peaks(
            self.device,
            float32=self.arithmetic,
            fast=self._arithmetic("default"),
            bfloat16=self._arithmetic("default", jnp.bfloat16),
            bandwidth=self.bandwidth,
            memory=_memory(),
        )

    def _bound(self, case, arrays, least, gradients):
        """FLOPs of a case, and the minimum time for them and its memory traffic in seconds."""
        if case.flops is None:
            found = costs.count(case.function, *arrays, platform=platform())
            return found.flops, found.seconds(self.peaks)
        # The gradient of each factor of a product is one more product.
        flops = 3 * case.flops if gradients else case.flops
        return flops, max(least / self.bandwidth, flops / self.arithmetic)

    def _samples(self, call, rival=None):
        """(seconds of each call, ratios to the rival's call of the same round)."""
        jax.block_until_ready(call())
        if rival is not None:
            rival()
        once = self._seconds(call, 1)
        # Queued calls hide the launch overhead. On a CPU they would run concurrently.
        calls = 1 if _on_cpu() else min(1000, math.ceil(SAMPLE / once))
        samples, ratios = [], []
        for _ in range(self.repeats):
            samples.append(self._seconds(call, calls) / calls)
            if rival is not None:
                ratios.append(samples[-1] * calls / self._seconds(rival, calls))
        return samples, ratios

    def _seconds(self, call, calls):
        start = self.clock()
        for _ in range(calls):
            out = call()
        jax.block_until_ready(out)
        return self.clock() - start

    def _bandwidth(self):
        # In place, because on a CPU the first access to new memory takes longer than the copy.
        advance = jax.jit(lambda x: x + 1, donate_argnums=0)
        state = [jnp.zeros(_pick(COPY) // 4)]

        def copy():
            state[0] = advance(state[0])
            return state[0]

        return 2 * _pick(COPY) / min(self._samples(copy)[0])

    def _arithmetic(self, precision="highest", dtype=jnp.float32):
        side = _pick(PRODUCT)
        matrix = jnp.ones((side, side), dtype)
        product = jax.jit(functools.partial(jnp.matmul, precision=precision))
        return 2 * side**3 / min(self._samples(functools.partial(product, matrix, matrix))[0])


def rival(path: Path) -> Callable[..., Callable[[], Any] | None]:
    """Another implementation to compare with: `(case, gradients) -> call or None`.

    Args:
      path: Python file that defines the function `rival`. It returns None for operations that it
        does not implement.

    Raises:
      ValueError: the file does not exist, or a module that it imports is not installed.
    """
    if path.suffix != ".py" or not path.is_file():
        raise ValueError(f"--against must be a Python file with the function rival, got {path}")
    try:
        return runpy.run_path(str(path))["rival"]
    except ModuleNotFoundError as error:
        raise ValueError(f"--against {path} needs {error.name}; install it too") from None


def _with_gradients(function, arrays):
    out = jax.eval_shape(function, *arrays)
    cotangent = jax.tree.map(lambda leaf: jnp.ones(leaf.shape, leaf.dtype), out)

    def both(cotangent, *arrays):
        out, pullback = jax.vjp(function, *arrays)
        return out, pullback(cotangent)

    return both, (cotangent, *arrays)


def _cast(tree, dtype):
    return jax.tree.map(lambda leaf: leaf.astype(dtype), tree)


def platform() -> str:
    """Platform name of the default backend in lowering: "cpu", "cuda" or "tpu"."""
    name = jax.default_backend()
    return "cuda" if name == "gpu" else name


def _memory():
    """Memory of the default device in bytes; 0 if unknown."""
    return float((jax.devices()[0].memory_stats() or {}).get("bytes_limit", 0))


def _on_cpu():
    return jax.default_backend() == "cpu"


def _pick(sizes):
    return sizes["cpu" if _on_cpu() else "default"]
