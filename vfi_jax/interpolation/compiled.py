"""A model compiled once per shape that runs on batches of windows, on one or more devices."""

import math
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec, Sharding, SingleDeviceSharding

from vfi_jax.interpolation import carry
from vfi_jax.interpolation.levels import unit

UNKNOWN_MEMORY = 8 * 2**30  # bytes assumed if the system does not report the machine's memory
CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


class Compiled:
    """`(frames, times) -> frames` of a model, compiled ahead of time for every shape."""

    def __init__(
        self,
        model: nn.Module,
        variables: Any,
        *,
        batch: int | None = None,
        devices: Sequence[jax.Device] | None = None,
    ):
        """Copy the variables to the devices.

        Args:
          model: a system.
          variables: its variables.
          batch: windows per call, rounded up to a multiple of the number of devices; None: one per
            device.
          devices: devices to run on; None: all accelerators of this process, or one CPU if there
            are none.

        Raises:
          ValueError: `batch` is less than 1.
        """
        if batch is not None and batch < 1:
            raise ValueError(f"batch must be at least 1, got {batch}")
        self.devices = list(devices or _default_devices())
        self.batch = math.ceil((batch or 1) / len(self.devices)) * len(self.devices)
        self._any_times = model.contract.times is None
        self._calls: dict[tuple, jax.stages.Compiled] = {}

        def answer(variables, frames, times):
            return carry.answer(model, variables, frames, times)

        self._by_window: Sharding = SingleDeviceSharding(self.devices[0])
        everywhere: Sharding = self._by_window
        self._mesh = mesh = Mesh(np.asarray(self.devices), ("windows",))
        if len(self.devices) > 1:
            by_window = PartitionSpec("windows")
            everywhere = NamedSharding(mesh, PartitionSpec())
            self._by_window = NamedSharding(mesh, by_window)
            # Windows are independent: each device runs its own program.
            answer = jax.shard_map(
                answer,
                mesh=mesh,
                in_specs=(PartitionSpec(), by_window, by_window),
                out_specs=by_window,
                check_vma=False,
            )
        self._answer = jax.jit(answer)
        self._variables = jax.device_put(variables, everywhere)

    def context(self) -> AbstractContextManager:
        """Context for calls, because the caller's mesh may have other devices."""
        return jax.set_mesh(self._mesh)

    def __call__(self, frames: np.ndarray, times: np.ndarray) -> jax.Array:
        """Run the model on up to `batch` windows.

        Args:
          frames: `[B, N, H, W, 3]`, uint8, uint16 or float, of a size that the model accepts; with
            extra channels from `carry.join`, float.
          times: `[B, T]`, relative to the windows' first frames.

        Returns:
          `[B, T, sH, sW, C]` float32, not clipped; it may still be computing.
        """
        windows, requested = times.shape
        times = _extend(np.asarray(times, np.float32), self._slots(requested), axis=1)
        frames, times = (_extend(array, self.batch, axis=0) for array in (frames, times))
        call = self._call(frames.shape[1:], times.shape[1])
        placed = unit(jax.device_put(frames, self._by_window))
        answers = call(self._variables, placed, jax.device_put(times, self._by_window))
        return answers[:windows, :requested]

    def needs(self, window: tuple[int, ...], requested: int) -> float:
        """Memory of a call on each device in bytes, including weights, inputs and outputs.

        Args:
          window: (N, H, W, C).
          requested: number of times requested per window.

        Returns:
          Infinity if the call is too large to compile; 0 if the platform does not report it.
        """
        try:
            used = self._call(window, self._slots(requested)).memory_analysis()
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            return math.inf
        if used is None:
            return 0
        return used.temp_size_in_bytes + used.argument_size_in_bytes + used.output_size_in_bytes

    def budget(self) -> int:
        """Three quarters of a device's memory; on a CPU, half of the machine's, in bytes."""
        stats = self.devices[0].memory_stats() or {}
        if "bytes_limit" in stats:
            return stats["bytes_limit"] * 3 // 4
        return _machine_memory() // 2

    def _slots(self, requested):
        """Number of times that a call is compiled for; a few sizes cover every `requested`."""
        if not self._any_times:
            return requested
        step = 2 ** max(0, requested.bit_length() - 3)
        return math.ceil(requested / step) * step

    def _call(self, window, slots):
        key = (window, slots)
        if key not in self._calls:
            frames, times = (
                jax.ShapeDtypeStruct(shape, jnp.float32, sharding=self._by_window)
                for shape in ((self.batch, *window), (self.batch, slots))
            )
            self._calls[key] = self._answer.lower(self._variables, frames, times).compile()
        return self._calls[key]


def _extend(array, length, *, axis):
    """`array` with its last entry along `axis` repeated up to `length` entries."""
    index = np.minimum(np.arange(length), array.shape[axis] - 1)
    return array if length == array.shape[axis] else np.take(array, index, axis)


def _default_devices():
    devices = jax.local_devices()
    # CPU devices share the cores, and one of them already uses all.
    return devices[:1] if devices[0].platform == "cpu" else devices


def _machine_memory():
    """Memory of the machine in bytes, or the container's limit if that is lower."""
    known = [UNKNOWN_MEMORY]
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", ()):
        known = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    limits = [path.read_text().strip() for path in CONTAINER_LIMITS if path.exists()]
    return min(known + [int(limit) for limit in limits if limit.isdigit()])
