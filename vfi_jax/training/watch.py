"""How fast a run goes and what it waits for: rates, FLOP/s, memory, traces."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax

from vfi_jax.bench import costs
from vfi_jax.devices import peaks

GIB = 2**30


class Watch:
    """Rates since a step; 0 until there are two steps to compare, so that none compiles.

    Attributes:
      flops: floating-point operations of a step, over all devices; 0: not known.
    """

    def __init__(self, *, batch: int, dtype: str = "float32"):
        """Starts without a step.

        Args:
          batch: clips in a step, over all devices.
          dtype: of the convolutions, which decides the peak that MFU compares with.
        """
        self.flops = 0.0
        self._batch = batch
        known = peaks(jax.devices()[0].device_kind)
        self._peak = known.arithmetic(dtype, "default") * jax.device_count() if known else 0.0
        self._start: tuple[int, float] | None = None
        self._waited = 0.0

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Counts what is done inside as waiting for data."""
        since = time.perf_counter()
        yield
        self._waited += time.perf_counter() - since

    def rate(self, step: int) -> float:
        """Steps per second up to `step`."""
        if self._start is None:
            self.restart(step)
        first, seconds = self._elapsed()
        return (step - first) / seconds

    def metrics(self, step: int) -> dict[str, float]:
        """What a line of metrics has of speed.

        Returns:
          "steps_per_second", "clips_per_second", "data_wait" (share of the time), and where they
          are known "flops_per_second", "mfu" (of the devices' peak) and "peak_memory_gib" (of the
          device that holds most).
        """
        rate = self.rate(step)
        found = {
            "steps_per_second": rate,
            "clips_per_second": rate * self._batch,
            "data_wait": min(self._waited / self._elapsed()[1], 1.0) if rate else 0.0,
        }
        if self.flops:
            found["flops_per_second"] = rate * self.flops
            if self._peak:
                found["mfu"] = rate * self.flops / self._peak
        memory = [(device.memory_stats() or {}) for device in jax.local_devices()]
        used = [stats["peak_bytes_in_use"] for stats in memory if "peak_bytes_in_use" in stats]
        if used:
            found["peak_memory_gib"] = max(used) / GIB
        return found

    def restart(self, step: int) -> None:
        """Counts from `step` on."""
        self._start, self._waited = (step, time.perf_counter()), 0.0

    def _elapsed(self):
        assert self._start is not None
        first, since = self._start
        return first, max(time.perf_counter() - since, 1e-9)


def count_flops(traced: jax.stages.Traced) -> float:
    """Floating-point operations of a traced program's convolutions and products, over all devices.

    Counted in the jaxpr: XLA's own analysis counts the body of a loop once, such as that over the
    parts of a batch, and does not see into the calls of cuDNN.
    """
    return costs.of(traced.jaxpr.jaxpr, jax.default_backend()).flops


class Profile:
    """Traces some steps by `jax.profiler`, for TensorBoard's profile page and Perfetto."""

    def __init__(self, folder: Path, steps: range):
        """Traces nothing yet.

        Args:
          folder: for the trace.
          steps: that are traced; an empty range: none.
        """
        self._folder, self._steps, self._on = folder, steps, False

    def __enter__(self) -> "Profile":
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def before(self, step: int, count: int) -> None:
        """Starts where one of the next `count` steps, from `step` on, is to be traced."""
        meets = step < self._steps.stop and step + count > self._steps.start
        if self._steps and meets and not self._on:
            jax.profiler.start_trace(str(self._folder))
            self._on = True

    def after(self, step: int, state: Any) -> None:
        """Ends after the last step to trace.

        Args:
          step: steps taken.
          state: that the last of them gives; it is waited for.
        """
        if self._on and step >= self._steps.stop:
            jax.block_until_ready(state)
            self._stop()

    def _stop(self):
        if self._on:
            jax.profiler.stop_trace()
            self._on = False
