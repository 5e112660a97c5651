"""Arrays on meshes with Explicit axes, where an array's type includes its sharding."""

import math
from collections.abc import Callable
from typing import Any

import jax
from jax.sharding import AbstractMesh, AxisType, NamedSharding, PartitionSpec, Sharding


def automatic(function: Callable[..., Any], *arrays: Any) -> Any:
    """Call `function(*arrays)`; on an Explicit mesh it is sharded automatically, as on an Auto
    mesh.

    An axis of a result, counted from the left, keeps the sharding of the same axis of an argument
    if the lengths are equal; otherwise it is not sharded.

    Args:
      function: function of arrays that does not close over arrays on an Explicit mesh.
      *arrays: pytrees of arrays.
    """
    leaves = [leaf for leaf in jax.tree.leaves(arrays) if isinstance(leaf, jax.Array)]
    mesh = next((found for leaf in leaves if (found := explicit_mesh(leaf))), None)
    if mesh is None:
        return function(*arrays)
    inside = mesh.update_axis_types(dict.fromkeys(mesh.explicit_axes, AxisType.Auto))
    with jax.sharding.use_abstract_mesh(inside):
        # Changing the type of axes moves no data: inside, no axis has an explicit sharding.
        out = function(*jax.tree.map(lambda leaf: jax.reshard(leaf, PartitionSpec()), arrays))
    return jax.tree.map(lambda leaf: _resharded(leaf, leaves, mesh), out)


def explicit_mesh(array: jax.Array) -> AbstractMesh | None:
    """The mesh of an array's type if some axes of it are Explicit."""
    mesh = jax.typeof(array).sharding.mesh
    return mesh if mesh.explicit_axes else None


def shards(array: jax.Array, axis: int) -> int:
    """Number of devices of an Explicit mesh over which an axis is sharded; otherwise 1."""
    mesh = explicit_mesh(array)
    return 1 if mesh is None else _count(jax.typeof(array).sharding.spec[axis], mesh)


def fitting(sharding: Sharding, shape: tuple[int, ...]) -> Sharding:
    """`sharding` for another shape: axes that are not divisible are not sharded."""
    if not isinstance(sharding, NamedSharding):
        return sharding
    spec = (
        names if length % _count(names, sharding.mesh) == 0 else None
        for names, length in zip(sharding.spec, shape, strict=False)
    )
    return NamedSharding(sharding.mesh, PartitionSpec(*spec))


def _resharded(leaf, arrays, mesh):
    spec = [None] * leaf.ndim
    for axis in range(leaf.ndim):
        for array in arrays:
            here = jax.typeof(array).sharding.spec
            if axis < array.ndim and here[axis] and array.shape[axis] == leaf.shape[axis]:
                spec[axis] = here[axis]
                break
    return jax.reshard(leaf, NamedSharding(mesh, PartitionSpec(*spec)))


def _count(names, mesh):
    names = names if isinstance(names, tuple) else (names,) * (names is not None)
    return math.prod(mesh.shape[name] for name in names)
