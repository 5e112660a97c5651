"""The decorator of every system checks its inputs and supports any mesh."""

import jax
import numpy as np
import pytest
from jax.sharding import NamedSharding, PartitionSpec

from vfi_jax import registry

SYSTEMS = sorted({registry.split(name)[0] for name in registry.list_models()})


@pytest.mark.parametrize("system", SYSTEMS)
def test_inputs_that_do_not_fit_the_contract_are_reported(system):
    model = registry.create(system)
    contract = model.contract
    count, side = contract.frames, max(contract.multiple, 16)

    def ask(frames, times=(1, 1), dtype=np.float32):
        model.apply({}, np.zeros(frames, dtype), np.zeros(times, np.float32))

    for wrong in ((1, count, side, side, 1), (count, side, side, 3)):
        with pytest.raises(ValueError, match=r"frames must be \[B, N, H, W, 3\], got"):
            ask(wrong)
    with pytest.raises(ValueError, match=r"windows of .* frames, got 1; vfi_jax\.interpolate"):
        ask((1, 1, side, side, 3))
    with pytest.raises(ValueError, match="frames must be floats with white at 1, got uint8"):
        ask((1, count, side, side, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match=r"times must be \[1, T\] to fit frames, got \(2, 1\)"):
        ask((1, count, side, side, 3), times=(2, 1))
    if contract.multiple > 1:
        with pytest.raises(ValueError, match=f"multiples of {contract.multiple}, got {side + 1}"):
            ask((1, count, side + 1, side, 3))


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_it_runs_on_a_mesh_with_explicit_axes(system):
    """Only traced: on a mesh with Explicit axes, types include the sharding."""
    small = "small" in registry.definition(system).VARIANTS
    model = registry.create(f"{system}/small" if small else system)
    mesh = jax.make_mesh((4,), ("data",))

    def placed(leaf, *spec, batch=()):
        shape = (*batch, *leaf.shape[len(batch) :])
        sharding = NamedSharding(mesh, PartitionSpec(*spec))
        return jax.ShapeDtypeStruct(shape, leaf.dtype, sharding=sharding)

    variables = jax.tree.map(placed, registry.abstract_variables(model))
    inputs = {
        name: placed(leaf, "data", batch=(4,))
        for name, leaf in registry.example_inputs(model).items()
    }
    out = jax.eval_shape(model.apply, variables, **inputs)["frames"]
    assert out.sharding.spec[0] == "data"
