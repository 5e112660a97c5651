"""What every system must do; a new file in models/ is under these tests at once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

from tests import support
from vfi_jax import registry
from vfi_jax.contract import Contract
from vfi_jax.interpolation import Interpolator


def _distinct():
    """Names of systems and variants, one for each distinct Config."""
    by_config = {}
    for name in registry.list_models():
        system, _ = registry.split(name)
        by_config.setdefault((system, registry.create(name).config), name)
    return sorted(by_config.values())


def _cheapest():
    """One name for each system: its small variant where it has one."""
    systems = {registry.split(name)[0] for name in registry.list_models()}
    names = (
        (f"{system}/small" if "small" in registry.definition(system).VARIANTS else system)
        for system in systems
    )
    return sorted(names)


@pytest.fixture(params=_distinct())
def name(request):
    return request.param


@pytest.fixture(params=_cheapest())
def cheap(request):
    return request.param


def test_the_contract_is_kept(name):
    """Shapes and types alone, so that the largest systems cost no more than three traces."""
    model, half = registry.create(name), _half(name)
    variables = registry.abstract_variables(half)
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} <= {jnp.dtype("float32")}
    contract = model.contract
    assert isinstance(contract, Contract)
    side = max(contract.multiple, 16)
    for net, batch, count, size in (
        (model, 2, contract.frames, (side, 2 * side)),
        (half, 1, contract.min_frames, (2 * side, side)),
    ):
        offered = contract.times_of(count)
        times = 3 if offered is None else len(offered)
        frames = jax.ShapeDtypeStruct((batch, count, *size, 3), jnp.float32)
        asked = jax.ShapeDtypeStruct((batch, times), jnp.float32)
        out = jax.eval_shape(net.apply, variables, frames, asked)["frames"]
        height, width = (contract.scale * pixels for pixels in size)
        assert out.shape == (batch, times, height, width, 3)
        assert out.dtype == jnp.float32


@pytest.mark.slow
def test_odd_sizes_and_bfloat16_give_finite_frames(cheap):
    model = _half(cheap)
    contract = model.contract
    frames = _clip(contract.frames, (17, 13))
    time = 0.5 if contract.times is None else contract.times[-1]
    out = Interpolator(model, support.variables(model, gain=0.5))(frames, [time])
    assert out.shape == (1, contract.scale * 17, contract.scale * 13, 3)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()


@pytest.mark.slow
@pytest.mark.parametrize("scanning", ["dain/small", "zooming_slow_mo/small"])
def test_loops_over_frames_run_under_shard_map(scanning):
    model = registry.create(scanning)
    shapes = registry.example_inputs(model)
    mesh, data = Mesh(np.array(jax.devices()[:1]), "data"), PartitionSpec("data")
    apart = jax.shard_map(
        lambda variables, *inputs: model.apply(variables, *inputs)["frames"],
        mesh=mesh,
        in_specs=(PartitionSpec(), data, data),
        out_specs=data,
    )
    arrays = registry.abstract_variables(model), shapes["frames"], shapes["times"]
    assert jax.eval_shape(apart, *arrays).shape[:2] == shapes["times"].shape


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*_cheapest()} - {*support.SMALL_RECIPES}))
def test_gradients_are_finite_and_reach_every_part(name):
    """Of systems without a small recipe; the tests of recipes take two steps of each of those."""
    model = registry.create(name)
    contract = model.contract
    variables = support.variables(model, gain=0.5)
    if not variables.get("params"):
        pytest.skip("has no parameters")
    side = max(contract.multiple, 16)
    frames = _clip(contract.frames, (side, side))[None]
    times = jnp.asarray([contract.times or (0.5,)], jnp.float32)

    @jax.jit
    def gradients(params, frames):
        def loss(params, frames):
            out = model.apply({**variables, "params": params}, frames, times)["frames"]
            return jnp.mean(jnp.square(out - 0.5))

        return jax.grad(loss, argnums=(0, 1))(params, frames)

    of_params, of_frames = jax.tree.map(np.asarray, gradients(variables["params"], frames))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((of_params, of_frames)))
    assert of_frames.any()
    untouched = [
        part for part, tree in of_params.items() if not any(map(np.any, jax.tree.leaves(tree)))
    ]
    assert not untouched


def _half(name):
    """The model with its convolutions in bfloat16, if it has any."""
    has_type = hasattr(registry.create(name).config, "dtype")
    return registry.create(name, **({"dtype": jnp.bfloat16} if has_type else {}))


def _clip(length, size):
    """Frames `[N, H, W, 3]` of a smooth texture that moves by a pixel each time."""
    y, x, shift = np.ogrid[: size[0], : size[1] + length, :3]
    texture = (0.5 + 0.25 * np.sin(x / 2) * np.cos(y / 3 + shift)).astype(np.float32)
    return np.stack([texture[:, index : index + size[1]] for index in range(length)])
