"""Devices and hosts: a mesh over all devices, batches split over it, parameters everywhere."""

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

DATA = "data"


def start(coordinator: str, processes: int | None, process: int | None) -> None:
    """Joins the processes of a run on several hosts; does nothing without a coordinator.

    Args:
      coordinator: HOST:PORT of process 0; "auto" on clusters that JAX recognises.
      processes: how many there are; None on such clusters.
      process: which of them this is; None on such clusters.
    """
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


def check_batch(batch: int) -> int:
    """How many of a step's clips this host loads.

    Raises:
      ValueError: the batch cannot be divided over the devices.
    """
    if batch % jax.device_count():
        raise ValueError(
            f"batch must be a multiple of the {jax.device_count()} devices, got {batch}"
        )
    return batch // jax.process_count()
