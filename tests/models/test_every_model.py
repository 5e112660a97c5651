"""Tests of every system; a new file in models/ is included automatically."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.interpreters import partial_eval
from jax.sharding import Mesh, PartitionSpec

from tests import support
from tests.models import questions
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


def test_the_contract_is_kept_and_times_matter(name):
    """Shapes and types only, so that the largest systems are only traced."""
    model = _half(name)
    contract = model.contract
    assert isinstance(contract, Contract)
    side = max(contract.multiple, 16)
    frames, times = _inputs(contract, 2, contract.frames, (side, 2 * side))
    traced, (out, variables) = jax.make_jaxpr(model.init_with_output, return_shape=True)(
        _key(), frames, times
    )
    _assert_fits(out["frames"], contract, frames, times)
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} <= {jnp.dtype("float32")}
    if contract.flows:
        lead, (height, width) = times.shape, frames.shape[2:4]
        assert out["flows"][-1].shape == (*lead, 2, height, width, 2)
        assert out["logits"][-1].shape == (*lead, height, width, 1)
    if contract.times is None:
        wanted = [path[1].key == "frames" for path in _paths((out, variables)) if path[0].idx == 0]
        wanted += [False] * len(jax.tree.leaves(variables))
        _, used = partial_eval.dce_jaxpr(traced.jaxpr, wanted)
        assert used[-1], "times change nothing"


def test_the_shortest_window_runs_at_full_precision(cheap):
    model = registry.create(cheap)
    contract = model.contract
    side = max(contract.multiple, 16)
    frames, times = _inputs(contract, 1, contract.min_frames, (2 * side, side))
    out, _ = jax.eval_shape(model.init_with_output, _key(), frames, times)
    _assert_fits(out["frames"], contract, frames, times)


@pytest.fixture(scope="module", params=_cheapest())
def answers(request):
    return questions.of_any_weights(request.param)


def test_a_local_change_has_a_local_effect(answers):
    """The effect is not mirrored, rotated or shifted."""
    change = np.abs(answers.to["corner"] - answers.to["clip"]).mean(axis=(0, 3))
    height, width = (side // 2 for side in change.shape)
    elsewhere = change[:height, width:], change[height:, :width], change[height:, width:]
    assert change[:height, :width].mean() > 1.2 * max(quarter.mean() for quarter in elsewhere)


def test_results_depend_on_the_time(answers):
    differ = not np.array_equal(answers.to["later"], answers.to["clip"])
    assert differ == (answers.model.contract.times is None)


def test_symmetric_systems_reverse_with_their_input(answers):
    backwards = answers.to["backwards"][::-1]
    symmetric = np.allclose(backwards, answers.to["clip"], rtol=0, atol=1e-5)
    assert symmetric == answers.model.contract.symmetric


@pytest.fixture(scope="module", params=support.SHIPPED)
def learned(request):
    return questions.of_shipped_weights(request.param)


def test_equal_frames_are_returned(learned):
    frames, first = learned.to["still"], learned.scene.frame(0)
    enough = 28 if learned.model.contract.scale == 1 else 20  # another scene has 12
    assert min(questions.decibels(frame, first) for frame in frames) >= enough


def test_early_times_are_closer_to_the_first_frame(learned):
    if learned.model.contract.times is not None:
        pytest.skip("has times of its own")
    (frame,) = learned.to["clip"]
    early, late = (learned.scene.frame(time) for time in (0.25, 0.75))
    assert questions.decibels(frame, early) > questions.decibels(frame, late) + 1


def test_mirrored_input_gives_mirrored_output(learned):
    frames = learned.to["clip"]
    assert questions.decibels(learned.to["left and right"], frames[:, :, ::-1]) >= 30
    assert questions.decibels(learned.to["up and down"], frames[:, ::-1]) >= 30


def test_reversed_input_gives_reversed_output(learned):
    assert questions.decibels(learned.to["backwards"][::-1], learned.to["clip"]) >= 35


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
    """Only systems without a small recipe; the tests of recipes cover the others."""
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


def _key():
    return jax.eval_shape(lambda: jax.random.key(0))


def _inputs(contract, batch, count, size):
    """Shapes of frames and times."""
    offered = contract.times_of(count)
    times = 3 if offered is None else len(offered)
    shapes = (batch, count, *size, 3), (batch, times)
    return [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]


def _assert_fits(out, contract, frames, times):
    height, width = (contract.scale * pixels for pixels in frames.shape[2:4])
    assert out.shape == (*times.shape, height, width, 3)
    assert out.dtype == jnp.float32


def _paths(tree):
    return [path for path, _ in jax.tree_util.tree_leaves_with_path(tree)]


def _half(name):
    """The model with its convolutions in bfloat16, if it has any."""
    has_type = hasattr(registry.create(name).config, "dtype")
    return registry.create(name, **({"dtype": jnp.bfloat16} if has_type else {}))


def _clip(length, size):
    """Frames `[N, H, W, 3]` of a smooth texture that moves by a pixel each time."""
    y, x, shift = np.ogrid[: size[0], : size[1] + length, :3]
    texture = (0.5 + 0.25 * np.sin(x / 2) * np.cos(y / 3 + shift)).astype(np.float32)
    return np.stack([texture[:, index : index + size[1]] for index in range(length)])
