"""Arrays on meshes with Explicit axes, where every array's type says how it is sharded."""

import math
from collections.abc import Callable
from typing import Any

import jax
from jax.sharding import AbstractMesh, AxisType, NamedSharding, PartitionSpec, Sharding


def automatic(function: Callable[..., Any], *arrays: Any) -> Any:
    """`function(*arrays)`; on an Explicit mesh, XLA shards what is inside, as on an Auto mesh.

    An axis of a result, counted from the left, keeps the sharding that this axis of an array has,
    if it is as long; otherwise it is not sharded.

    Args:
      function: of arrays, closing over none that lies on an Explicit mesh.
      *arrays: pytrees of arrays.
    """
    leaves = [leaf for leaf in jax.tree.leaves(arrays) if isinstance(leaf, jax.Array)]
    mesh = next((found for leaf in leaves if (found := explicit_mesh(leaf))), None)
    if mesh is None:
        return function(*arrays)
    inside = mesh.update_axis_types(dict.fromkeys(mesh.explicit_axes, AxisType.Auto))
    with jax.sharding.use_abstract_mesh(inside):
        # Between types of axes this moves nothing: no axis has a sharding of its own inside.
        out = function(*jax.tree.map(lambda leaf: jax.reshard(leaf, PartitionSpec()), arrays))
    return jax.tree.map(lambda leaf: _resharded(leaf, leaves, mesh), out)


def explicit_mesh(array: jax.Array) -> AbstractMesh | None:
    """The mesh of an array's type if some axes of it are Explicit."""
    mesh = jax.typeof(array).sharding.mesh
    return mesh if mesh.explicit_axes else None


def shards(array: jax.Array, axis: int) -> int:
    """Over how many devices of an Explicit mesh an axis is divided; 1 elsewhere."""
    mesh = explicit_mesh(array)
    return 1 if mesh is None else _count(jax.typeof(array).sharding.spec[axis], mesh)


def fitting(sharding: Sharding, shape: tuple[int, ...]) -> Sharding:
    """`sharding` for an array of another shape: an axis that it does not divide stays whole."""
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
