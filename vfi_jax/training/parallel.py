"""Devices and hosts: data-parallel mesh, sharded batches, replicated parameters."""

import signal
from types import FrameType

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

SIGNALS = (signal.SIGTERM, signal.SIGINT)  # signals for a clean shutdown

DATA = "data"


def start(coordinator: str, processes: int | None, process: int | None) -> None:
    """Initialise multi-host training; does nothing without a coordinator.

    Args:
      coordinator: HOST:PORT of process 0; "auto" on clusters that JAX recognises.
      processes: number of processes; None on such clusters.
      process: index of this process; None on such clusters.

    Raises:
      ValueError: `processes` or `process` is set without a coordinator.
    """
    if not coordinator and (processes, process) != (None, None):
        raise ValueError(
            f"--processes {processes} and --process {process} need --coordinator HOST:PORT, or "
            "each process would train on its own"
        )
    if coordinator:
        address = None if coordinator == "auto" else coordinator
        jax.distributed.initialize(address, processes, process)


def mesh() -> Mesh:
    """One axis over all devices of all hosts."""
    # Explicit axes, the default of make_mesh, forbid the reshapes inside ops.
    return jax.make_mesh((jax.device_count(),), (DATA,), axis_types=(AxisType.Auto,))


def everywhere(mesh: Mesh) -> NamedSharding:
    """Replicated on every device."""
    return NamedSharding(mesh, PartitionSpec())


def split(mesh: Mesh, *, axis: int = 0) -> NamedSharding:
    """`axis` sharded over the devices."""
    return NamedSharding(mesh, PartitionSpec(*[None] * axis, DATA))


def put(tree: dict, sharding: NamedSharding) -> dict:
    """Place this host's part of each global array on its devices.

    Args:
      tree: NumPy arrays; with one process the whole arrays.
      sharding: of every array.
    """
    return jax.tree.map(
        lambda x: jax.make_array_from_process_local_data(sharding, np.asarray(x)), tree
    )


def local(tree: dict) -> dict:
    """This host's copies of replicated arrays, each on one of its devices."""
    return jax.tree.map(lambda x: x.addressable_data(0), tree)


def check_batch(batch: int, accumulate: int = 1) -> int:
    """Number of clips per step that this host loads.

    Args:
      batch: clips in a step, over all devices.
      accumulate: number of gradient accumulation steps.

    Raises:
      ValueError: the batch is not divisible by the accumulation steps and devices.
    """
    if batch % (jax.device_count() * accumulate):
        parts = f" times the {accumulate} parts" if accumulate > 1 else ""
        raise ValueError(
            f"batch must be a multiple of the {jax.device_count()} devices{parts}, got {batch}"
        )
    return batch // jax.process_count()


class Termination:
    """Whether any process received SIGTERM; all processes learn of it at the same step.

    In a single process Ctrl-C has the same effect; a second one stops immediately.
    """

    def __enter__(self) -> "Termination":
        self._come = False
        # With several processes JAX's preemption service handles the signal.
        self._alone = jax.process_count() == 1
        if self._alone:
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *error: object) -> None:
        if self._alone:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def __call__(self, step: int) -> bool:
        """Whether to stop after `step`; every process must call it after each step."""
        return self._come if self._alone else multihost_utils.reached_preemption_sync_point(step)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._come = True
        if number == signal.SIGINT:
            signal.signal(number, self._before[signal.SIGINT])
