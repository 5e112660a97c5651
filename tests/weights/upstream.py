"""State dicts under upstream names for models of any size."""

import numpy as np

from tests import support
from tests.weights.torch_writer import Tensor
from vfi_jax import registry
from vfi_jax.weights import conversion

SMALL = "sepconv/small"  # quick to trace, and its mapping is the released ones'


def state_dict(name=SMALL, *, keys="sepconv-2017", seed=0):
    """Random arrays under the keys of a list, shaped as `name` wants them (plain convs only)."""
    rng = np.random.default_rng(seed)
    shapes = conversion.shapes_of(registry.create(name))
    arrays = {}
    for key, *_ in support.read_keys(keys):
        (path,) = (m.expand(r.path) for r in conversion.rules_of(name) if (m := r.match(key)))
        shape = shapes["params", *path.split("/")]
        shape = tuple(shape[i] for i in (3, 2, 0, 1)) if len(shape) == 4 else shape
        arrays[key] = rng.standard_normal(shape).astype(np.float32)
    return arrays


def tensors(arrays):
    """The same as tensors that `torch_writer` stores."""
    return {key: Tensor(array) for key, array in arrays.items()}
