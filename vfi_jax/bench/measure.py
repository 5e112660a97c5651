"""Timing of a case, synchronised and after warm-up, compared with the machine's limits."""

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

SAMPLE = 0.01  # minimum duration of a sample in seconds on an accelerator, whose calls queue up
COPY = {"cpu": 2**26, "default": 2**30}  # bytes of the copy that measures the bandwidth
PRODUCT = {"cpu": 1024, "default": 8192}  # side of the matrices that measure the arithmetic


@dataclasses.dataclass(frozen=True)
class Row:
    """Measurements of a case.

    Attributes:
      name: of the operation or model.
      detail: of the case.
      gradients: the backward pass is timed too.
      backend: "xla" or "pallas".
      dtype: of the arrays.
      size: height and width.
      milliseconds: of a call, the median.
      gigabytes: read and written at least: arguments and results once.
      gigaflops: that the definition needs, three times for gradients; of models, those of their
        convolutions and products.
      gigabytes_per_second: achieved.
      roofline: least time that bandwidth and arithmetic of this device allow, over the time taken.
      peak_megabytes: arguments, results and temporaries.
      temporary_megabytes: of the peak, what is neither argument nor result.
      compile_seconds: once per size.
      ratio: median over pairs of calls of our time over the rival's; None without one.
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
    """The default device and its limits, measured at construction.

    Attributes:
      clock: seconds; on one pinned core CPU time, which other processes hardly disturb.
      device: its name.
      bandwidth: bytes per second of a large copy, both ways counted.
      arithmetic: floating-point operations per second of a large float32 matrix product.
    """

    def __init__(self, *, repeats: int = 7, clock: Callable[[], float] = time.perf_counter):
        if repeats < 1:
            raise ValueError(f"repeats must be at least 1, got {repeats}")
        # A call that another thread runs waits for the scheduler, milliseconds on a busy machine.
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
          case: what to run.
          size: height and width, for the row.
          gradients: with the gradients of all arrays.
          backend: "xla" or "pallas".
          dtype: of the arrays; flows and kernels stay float32 where the operation wants that.
          rival: the same work done by something else, called in turns with it; by default the
            case's baseline, if it has one.

        Raises:
          ValueError: "pallas" on a CPU.
          NotImplementedError: the kernel declines the case.
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
        """Median time of a call, warm."""
        return statistics.median(self._samples(call)[0])

    @functools.cached_property
    def peaks(self) -> Peaks:
        """The limits as rates of every type, measured when first asked for."""
        return Peaks(
            self.device,
            float32=self.arithmetic,
            fast=self._arithmetic("default"),
            bfloat16=self._arithmetic("default", jnp.bfloat16),
            bandwidth=self.bandwidth,
            memory=_memory(),
        )

    def _bound(self, case, arrays, least, gradients):
        """FLOPs of a case and the least seconds that they and its bytes take."""
        if case.flops is None:
            found = costs.count(case.function, *arrays, platform=platform())
            return found.flops, found.seconds(self.peaks)
        flops = 3 * case.flops if gradients else case.flops  # products for two factors' gradients
        return flops, max(least / self.bandwidth, flops / self.arithmetic)

    def _samples(self, call, rival=None):
        """(seconds of each call, ratios to the rival's of the same turn)."""
        jax.block_until_ready(call())
        if rival is not None:
            rival()
        once = self._seconds(call, 1)
        # Queued calls hide the launch. On a CPU they would run side by side.
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
        # In place: the first touch of fresh memory costs a CPU several times the copy.
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
    """What to compare with: `(case, gradients) -> call`, None where it has no such operation.

    Args:
      path: Python file that defines the function `rival`.

    Raises:
      ValueError: there is no such file, or what it imports is not installed.
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
    """Name of the default backend in lowering: "cpu", "cuda" or "tpu"."""
    name = jax.default_backend()
    return "cuda" if name == "gpu" else name


def _memory():
    """Bytes of the default device, 0 where it does not tell."""
    return float((jax.devices()[0].memory_stats() or {}).get("bytes_limit", 0))


def _on_cpu():
    return jax.default_backend() == "cpu"


def _pick(sizes):
    return sizes["cpu" if _on_cpu() else "default"]
