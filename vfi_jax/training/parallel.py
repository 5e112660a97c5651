"""Devices and hosts: a mesh over all devices, batches split over it, parameters everywhere."""

import signal
from types import FrameType

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

SIGNALS = (signal.SIGTERM, signal.SIGINT)  # that end a run in good order

DATA = "data"


def start(coordinator: str, processes: int | None, process: int | None) -> None:
    """Joins the processes of a run on several hosts; does nothing without a coordinator.

    Args:
      coordinator: HOST:PORT of process 0; "auto" on clusters that JAX recognises.
      processes: how many there are; None on such clusters.
      process: which of them this is; None on such clusters.

    Raises:
      ValueError: there is no coordinator, but a number of processes or of this one.
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
    """The same array on every device."""
    return NamedSharding(mesh, PartitionSpec())


def split(mesh: Mesh, *, axis: int = 0) -> NamedSharding:
    """`axis` divided over the devices."""
    return NamedSharding(mesh, PartitionSpec(*[None] * axis, DATA))


def put(tree: dict, sharding: NamedSharding) -> dict:
    """A host's part of each global array, placed on its devices.

    Args:
      tree: NumPy arrays; with one process the whole arrays.
      sharding: of every array.
    """
    return jax.tree.map(
        lambda x: jax.make_array_from_process_local_data(sharding, np.asarray(x)), tree
    )


def local(tree: dict) -> dict:
    """This host's copies of arrays that are everywhere, each on one of its devices."""
    return jax.tree.map(lambda x: x.addressable_data(0), tree)


def check_batch(batch: int, accumulate: int = 1) -> int:
    """How many of a step's clips this host loads.

    Args:
      batch: clips in a step, over all devices.
      accumulate: equal parts that it is worked off in.

    Raises:
      ValueError: the batch cannot be divided over the parts and the devices.
    """
    if batch % (jax.device_count() * accumulate):
        parts = f" times the {accumulate} parts" if accumulate > 1 else ""
        raise ValueError(
            f"batch must be a multiple of the {jax.device_count()} devices{parts}, got {batch}"
        )
    return batch // jax.process_count()


class Termination:
    """Whether SIGTERM has come to any process; all of them hear of it at the same step.

    In a single process Ctrl-C is the same; a second one stops at once.
    """

    def __enter__(self) -> "Termination":
        self._come = False
        # With several processes JAX's own service listens.
        self._alone = jax.process_count() == 1
        if self._alone:
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *error: object) -> None:
        if self._alone:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def __call__(self, step: int) -> bool:
        """Whether to stop after `step`; every process asks after each of its steps."""
        return self._come if self._alone else multihost_utils.reached_preemption_sync_point(step)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._come = True
        if number == signal.SIGINT:
            signal.signal(number, self._before[signal.SIGINT])
