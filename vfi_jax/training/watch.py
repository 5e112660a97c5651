"""Performance of a run: rates, FLOP/s, waiting time, memory and traces."""

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
    """Rates since a step; 0 until a second step, so that compilation is excluded.

    Attributes:
      flops: floating-point operations per step over all devices; 0 if unknown.
    """

    def __init__(self, *, batch: int, dtype: str = "float32"):
        """Start without a step.

        Args:
          batch: clips per step over all devices.
          dtype: type of the convolutions, which determines the peak for MFU.
        """
        self.flops = 0.0
        self._batch = batch
        known = peaks(jax.devices()[0].device_kind)
        self._peak = known.arithmetic(dtype, "default") * jax.device_count() if known else 0.0
        self._start: tuple[int, float] | None = None
        self._waited = 0.0

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time inside the context as waiting for data."""
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
        """Performance metrics.

        Returns:
          "steps_per_second", "clips_per_second", "data_wait" (share of the time), and if known
          "flops_per_second", "mfu" (model FLOP/s utilisation, a share of the devices' peak) and
          "peak_memory_gib" (maximum over the devices).
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
        """Restart the measurement at `step`."""
        self._start, self._waited = (step, time.perf_counter()), 0.0

    def _elapsed(self):
        assert self._start is not None
        first, since = self._start
        return first, max(time.perf_counter() - since, 1e-9)


def count_flops(traced: jax.stages.Traced) -> float:
    """FLOPs of the convolutions and matrix products of a traced program, over all devices.

    Counted in the jaxpr: XLA's cost analysis counts the body of a loop only once (such as gradient
    accumulation) and cannot see inside cuDNN calls.
    """
    return costs.of(traced.jaxpr.jaxpr, jax.default_backend()).flops


class Profile:
    """Traces some steps with `jax.profiler`, for TensorBoard's profile page and Perfetto."""

    def __init__(self, folder: Path, steps: range):
        """Prepare a trace.

        Args:
          folder: folder of the trace.
          steps: steps to trace; none if empty.
        """
        self._folder, self._steps, self._on = folder, steps, False

    def __enter__(self) -> "Profile":
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def before(self, step: int, count: int) -> None:
        """Start the trace if one of the next `count` steps from `step` is to be traced."""
        meets = step < self._steps.stop and step + count > self._steps.start
        if self._steps and meets and not self._on:
            jax.profiler.start_trace(str(self._folder))
            self._on = True

    def after(self, step: int, state: Any) -> None:
        """Stop the trace after the last step to trace.

        Args:
          step: number of steps taken.
          state: state after the last of them, to wait for.
        """
        if self._on and step >= self._steps.stop:
            jax.block_until_ready(state)
            self._stop()

    def _stop(self):
        if self._on:
            jax.profiler.stop_trace()
            self._on = False
