"""Variables with this library's names, from files without a description.

Orbax folders, Flax msgpack files and safetensors files. Of a training state only the variables are
read.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.serialization import msgpack_restore
from flax.traverse_util import unflatten_dict

from vfi_jax.weights import orbax_folder
from vfi_jax.weights.engine import Shapes
from vfi_jax.weights.torch_file import SAFETENSORS_START

COLLECTIONS = ("params", "batch_stats")
MSGPACK_MAPS = {*range(0x81, 0x90), 0xDE, 0xDF}  # first byte of a non-empty mapping


def is_msgpack(path: Path) -> bool:
    """Whether a file starts like Flax's msgpack of a tree and not like safetensors, whose first
    byte (of the header's length) is arbitrary.
    """
    with path.open("rb") as file:
        start = file.read(9)
    return start[:1] != b"" and start[0] in MSGPACK_MAPS and start[8:] != SAFETENSORS_START


def read_tree(path: Path) -> dict:
    """The variables in an Orbax folder or a msgpack file, as nested dicts of NumPy arrays.

    Raises:
      ValueError: it contains no variables, or is damaged.
    """
    if path.is_dir():
        tree = orbax_folder.restore(path)
    else:
        try:
            tree = msgpack_restore(path.read_bytes())
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{path} is damaged or not a Flax msgpack file ({error})") from None
    if not isinstance(tree, Mapping):
        raise ValueError(f"{path} contains a {type(tree).__name__}, not a tree of variables")
    return jax.tree.map(float32, _variables(tree))


def _variables(tree: Mapping[str, Any]) -> dict:
    """The collections of a training state, or a bare tree of parameters as one collection."""
    if "params" not in tree:
        inner = [one for one in tree.values() if isinstance(one, Mapping) and "params" in one]
        return _variables(inner[0]) if len(inner) == 1 else {"params": dict(tree)}
    params = tree["params"]
    if isinstance(params, Mapping) and "params" in params:  # a state with all variables
        return _variables(params)
    return {name: tree[name] for name in COLLECTIONS if tree.get(name)}


def from_flat(arrays: Mapping[str, np.ndarray], shapes: Shapes) -> dict | None:
    """Variables from arrays by path, with "/" or "." as separator, with or without "params".

    Args:
      arrays: arrays by path.
      shapes: shapes of the model's variables.

    Returns:
      The variables; None if a path is unknown to the model.
    """
    known = {".".join(path): path for path in shapes}
    known |= {".".join(path[1:]): path for path in shapes if path[0] == "params"}
    paths = {key: known.get(key.replace("/", ".")) for key in arrays}
    if not paths or None in paths.values():
        return None
    return unflatten_dict({path: float32(arrays[key]) for key, path in paths.items()})


def float32(array: Any) -> np.ndarray:
    """An array as a NumPy array, with floats as float32."""
    array = np.asarray(array)
    return array.astype(np.float32) if jnp.issubdtype(array.dtype, jnp.floating) else array
