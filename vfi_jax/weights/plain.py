"""Variables by this library's own names, from files that do not say whose they are.

Folders that Orbax wrote, files of Flax's msgpack and of safetensors. Of a training state the
variables alone are taken.
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
MSGPACK_MAPS = {*range(0x81, 0x90), 0xDE, 0xDF}  # first byte of a mapping that is not empty


def is_msgpack(path: Path) -> bool:
    """Whether a file starts as Flax's msgpack of a tree does, and not as safetensors, whose first
    byte, of its header's length, may be any.
    """
    with path.open("rb") as file:
        start = file.read(9)
    return start[:1] != b"" and start[0] in MSGPACK_MAPS and start[8:] != SAFETENSORS_START


def read_tree(path: Path) -> dict:
    """The variables in a folder of Orbax or a file of msgpack, as nested dicts of NumPy arrays.

    Raises:
      ValueError: it holds no variables, or is damaged.
    """
    if path.is_dir():
        tree = orbax_folder.restore(path)
    else:
        try:
            tree = msgpack_restore(path.read_bytes())
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{path} is damaged or no msgpack of Flax ({error})") from None
    if not isinstance(tree, Mapping):
        raise ValueError(f"{path} holds a {type(tree).__name__}, not a tree of variables")
    return jax.tree.map(float32, _variables(tree))


def _variables(tree: Mapping[str, Any]) -> dict:
    """The collections of a training state, or a bare tree of parameters as one collection."""
    if "params" not in tree:
        inner = [one for one in tree.values() if isinstance(one, Mapping) and "params" in one]
        return _variables(inner[0]) if len(inner) == 1 else {"params": dict(tree)}
    params = tree["params"]
    if isinstance(params, Mapping) and "params" in params:  # a state that holds all variables
        return _variables(params)
    return {name: tree[name] for name in COLLECTIONS if tree.get(name)}


def from_flat(arrays: Mapping[str, np.ndarray], shapes: Shapes) -> dict | None:
    """Variables of arrays by path, "/" or "." between its parts, with or without "params".

    Args:
      arrays: by path.
      shapes: of the model's variables.

    Returns:
      The variables; None where a path is none of the model's.
    """
    known = {".".join(path): path for path in shapes}
    known |= {".".join(path[1:]): path for path in shapes if path[0] == "params"}
    paths = {key: known.get(key.replace("/", ".")) for key in arrays}
    if not paths or None in paths.values():
        return None
    return unflatten_dict({path: float32(arrays[key]) for key, path in paths.items()})


def float32(array: Any) -> np.ndarray:
    """An array as NumPy's, floats of any type as float32."""
    array = np.asarray(array)
    return array.astype(np.float32) if jnp.issubdtype(array.dtype, jnp.floating) else array
