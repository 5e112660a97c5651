"""Every op under the modes of JAX that a program may have set."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding, PartitionSpec

from tests.ops import examples, modes

NAMES = sorted(examples.EXAMPLES)


@pytest.mark.parametrize("name", NAMES)
def test_every_op_works_in_every_mode(name):
    faults = {mode: modes.fault(mode, name) for mode in modes.MODES}
    assert not any(faults.values()), faults


@pytest.mark.slow
def test_an_explicit_mesh_gives_the_same_numbers_and_nothing_is_nan():
    arrays = {name: examples.arrays(name, lead=(8,)) for name in NAMES}
    mesh = jax.make_mesh((8,), ("data",))

    def placed(name, key, array):
        shared = examples.kinds(name)[key] == "shared"
        spec = PartitionSpec() if shared else PartitionSpec("data")
        return jax.device_put(array, NamedSharding(mesh, spec))

    def every_op(arrays):
        def total(arrays):
            out = {name: examples.call(name)(arrays[name]) for name in NAMES}
            return sum(jnp.cos(leaf).sum() for leaf in jax.tree.leaves(out)), out

        return jax.grad(total, has_aux=True)(arrays)

    sharded = {
        name: {
            key: jax.tree.map(lambda leaf, key=key, name=name: placed(name, key, leaf), value)
            for key, value in one.items()
        }
        for name, one in arrays.items()
    }
    with jax.debug_nans(True):
        wanted, found = jax.jit(every_op)(arrays), jax.jit(every_op)(sharded)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), found, wanted)
