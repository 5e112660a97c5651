"""Every recipe: model and data sets exist, and two small steps are finite."""

import dataclasses
import functools

import flax.linen as nn
import jax
import numpy as np
import pytest
from jax.interpreters import partial_eval

from tests import support
from vfi_jax import data, registry
from vfi_jax.data.resident import Resident
from vfi_jax.data.training_windows import windows
from vfi_jax.training import recipes, run
from vfi_jax.training.recipes import shared_pyramid
from vfi_jax.training.state import State
from vfi_jax.training.step import make_step

NAMES = recipes.list_recipes()
FRAMES = 9  # of a clip
# The authors' files of PWC-Net hold them where nothing reads them.
UNUSED = {"flow/decoder2/up_flow/kernel", "flow/decoder2/up_flow/bias"}
FLOW_ALONE = ("dain/flow",)  # compares no frames
NEAR = 0.2  # of the way from the target to the input, where losses fall evenly
PART = {"dain/flow": "flow/"}  # of its model, that a recipe trains; the whole by default
# One recipe for each loss of a system.
DISTINCT = {(registry.split(name)[0], recipes.find(name).loss): name for name in reversed(NAMES)}
# The papers' networks take minutes to compile and gigabytes to train, so that their steps are only
# traced; the small ones have the same code, loss and optimiser, and theirs are run.
LARGE = [name for name in NAMES if name not in support.SMALL_RECIPES]


def _has_smaller(name):
    small = f"{registry.split(name)[0]}/small"
    return small in NAMES and name != small


@pytest.mark.parametrize("name", NAMES)
def test_names_in_recipes_exist(name):
    recipe = recipes.find(name)
    model = registry.create(recipe.model)
    for source in recipe.data:
        data.find(source)
    for frozen in (*recipe.frozen.values(), *recipe.start_from.values()):
        registry.create(frozen)
    assert all(side % (model.contract.multiple * model.contract.scale) == 0 for side in recipe.crop)
    parts = registry.abstract_variables(model, train=True)["params"]
    for prefix in recipe.optimizer.scale:
        assert prefix.split("/")[0] in parts


@pytest.mark.parametrize("name", ["mind", "mind/small", "voxel_flow", "voxel_flow/extrapolation"])
def test_recipes_for_consecutive_triplets_use_no_other_windows(name):
    recipe = recipes.find(name)
    contract = registry.create(recipe.model).contract
    found = windows(contract, FRAMES, gaps=recipe.gaps, targets=recipe.targets)
    assert {window.span for window in found} == {3}


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_a_recipe_traces_at_its_own_crop_and_trains_all_parameters(name):
    recipe = recipes.find(name)
    model = registry.create(recipe.model)
    optimizer = recipe.optimizer.build(recipe.steps)
    step = make_step(model, recipe.loss, optimizer, ema=recipe.ema, summed=recipe.summed)
    prepare = recipe.preparation(model.contract, FRAMES)
    raw = {
        "clips": jax.ShapeDtypeStruct((recipe.batch, FRAMES, *recipe.crop, 3), np.uint8),
        "sizes": jax.ShapeDtypeStruct((recipe.batch, 3), np.int32),
        "seeds": jax.ShapeDtypeStruct((recipe.batch,), np.uint32),
    }
    variables = registry.abstract_variables(model, train=True)
    start = functools.partial(State.start, optimizer=optimizer, ema=bool(recipe.ema))
    state = jax.eval_shape(start, variables)
    frozen = {
        role: registry.abstract_variables(registry.create(network))
        for role, network in recipe.frozen.items()
    }

    def run(state, raw, frozen):
        return step(state, prepare(raw), frozen)

    traced, (after, metrics) = jax.make_jaxpr(run, return_shape=True)(state, raw, frozen)
    assert jax.tree.map(_kind, after) == jax.tree.map(_kind, state)
    assert metrics["loss"].shape == ()
    unused = _unused(traced, state, (after, metrics))
    assert {path for path in unused if path.startswith(PART.get(name, ""))} <= UNUSED


def _kind(leaf):
    return leaf.shape, leaf.dtype


def _unused(traced, state, outputs):
    """Parameters of `state`, the first input, that the loss among the outputs does not depend on:
    small crops do not reach the coarsest levels of some networks."""
    wanted = [path[-1].key == "loss" for path, _ in _leaves(outputs[1])]
    others = [False] * len(jax.tree.leaves(outputs[0]))
    _, used = partial_eval.dce_jaxpr(traced.jaxpr, [*others, *wanted])
    inputs = zip(_leaves(state), used, strict=False)
    return {
        "/".join(entry.key for entry in path[1:])
        for (path, _), is_used in inputs
        if path[0].name == "params" and not is_used
    }


def _leaves(tree):
    return jax.tree_util.tree_leaves_with_path(tree)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if _has_smaller(name) else [])
        for name in sorted(DISTINCT.values())
    ],
)
def test_the_loss_decreases_towards_the_target(name):
    recipe = recipes.find(name)
    prediction, batch = drawn_prediction(registry.create(recipe.model))
    of_flow = name in FLOW_ALONE
    frozen = _frozen(recipe)

    def loss(share):
        return float(recipe.loss(towards(share, prediction, batch, of_flow), batch, frozen)[0])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.Module, "apply", _answer)
        assert loss(0) > loss(0.5) > loss(1)


def drawn_prediction(model):
    """A random prediction in training, and a batch."""
    contract = model.contract
    rng = np.random.default_rng(0)
    side = max(64 // contract.scale, contract.multiple)
    shapes = registry.example_inputs(model, train=True, size=(side, side))
    answer = functools.partial(model.init_with_output, train=True)
    prediction, _ = jax.eval_shape(answer, jax.eval_shape(lambda: jax.random.key(0)), **shapes)
    batch, prediction = jax.tree.map(
        lambda leaf: rng.random(leaf.shape, np.float32), (shapes, prediction)
    )
    batch["times"][:] = contract.times or (0.5,)
    return prediction, batch


def towards(share, prediction, batch, of_flow):
    """The prediction with its frames, of any size, moved from near the targets, on the side of the
    first input, to them; or else its flows to none."""
    targets = batch["targets"]
    scale = targets.shape[-3] // batch["frames"].shape[-3]
    first = batch["frames"][:, :1].repeat(scale, axis=-3).repeat(scale, axis=-2)
    frames = targets + (1 - share) * NEAR * (first - targets)

    def move(leaf):
        if of_flow:
            return (1 - share) * leaf if leaf.shape[-1] == 2 else leaf
        if leaf.ndim < 5 or leaf.shape[-1] != 3:
            return leaf
        height, width = leaf.shape[-3:-1]
        factor = frames.shape[-3] // height
        blocks = frames.reshape(*frames.shape[:2], height, factor, width, factor, 3)
        return blocks.mean(axis=(3, 5))

    return jax.tree.map(move, prediction)


def _answer(model, variables, *inputs, apply=nn.Module.apply):
    """Predictions of networks; teachers return zero motion without computing."""
    if not hasattr(model, "contract"):
        return apply(model, variables, *inputs)
    frames, times = inputs
    size = (*times.shape, *frames.shape[-3:-1])
    mean = np.broadcast_to(frames[:, :1] / 2 + frames[:, 1:] / 2, (*size, 3))
    flow, logit = np.zeros((*times.shape, 2, *size[2:], 2)), np.zeros((*size, 1))
    return {"frames": mean, "flows": (np.float32(flow),), "logits": (np.float32(logit),)}


def _frozen(recipe):
    models = {role: registry.create(network) for role, network in recipe.frozen.items()}
    drawn = {
        role: {} if hasattr(model, "contract") else support.variables(model)
        for role, model in models.items()
    }
    if "lpips" in drawn:  # its heads weigh squares
        drawn["lpips"] = jax.tree.map(np.abs, drawn["lpips"])
    return drawn


@pytest.mark.slow
@pytest.mark.parametrize("name", support.SMALL_RECIPES)
def test_two_steps_of_a_recipe_are_finite_and_change_every_part(name):
    recipe = recipes.find(name)
    model = registry.create(recipe.model)
    side = max(32, model.contract.multiple) * model.contract.scale
    recipe = dataclasses.replace(recipe, crop=(side, side), batch=2)
    clips = data.clips("synthetic", None, "train", scenes=2, frames=9, size=(side, side))
    source = Resident(clips, batch=2)
    prepare = recipe.preparation(model.contract, source.frames)
    optimizer = recipe.optimizer.build(10)
    step = make_step(model, recipe.loss, optimizer, ema=recipe.ema, summed=recipe.summed)
    frozen = run.load_frozen(recipe)

    @jax.jit
    def advance(state, arrays, drawn, frozen):
        return step(state, prepare(source.gather(arrays, drawn)), frozen)

    state = start = State.start(
        support.variables(model, train=True, gain=0.5), optimizer, ema=bool(recipe.ema)
    )
    for place in range(2):
        state, metrics = advance(state, source.arrays, source.draw(place), frozen)
        assert float(metrics["finite"]) == 1
        assert np.isfinite(float(metrics["loss"]))
    changed = jax.tree.map(lambda a, b: bool((a != b).any()), start.params, state.params)
    assert all(any(jax.tree.leaves(part)) for part in changed.values())


def test_flows_of_the_shared_pyramid_are_supervised_by_known_motion():
    rng = np.random.default_rng(0)
    motion = np.tile(rng.normal(size=(2, 1, 1, 1, 2)), (1, 1, 32, 32, 1)).astype(np.float32)
    batch = {
        "targets": rng.random((2, 1, 32, 32, 3), np.float32),
        "times": np.full((2, 1), 0.25, np.float32),
        "motion": motion,
        "known": np.array([1, 0], np.float32),
    }
    true = np.stack([-0.25 * motion, 0.75 * motion], axis=2)
    none = np.zeros_like(true)

    def loss(first, second, frames=batch["targets"]):
        flows = np.concatenate([first[:1], second[1:]])
        prediction = {
            "frames": frames,
            "blends": (batch["targets"],) * 2,
            "flows": (flows[:, :, :, ::2, ::2] / 2, flows),
        }
        return shared_pyramid.every_scale(prediction, batch, {})

    _, parts = loss(true, none)
    assert parts["flow"] == pytest.approx(
        2 * shared_pyramid.EPS / 2, rel=1e-4
    )  # of two, half known
    right, wrong, turned = (loss(flow, none)[0] for flow in (true, none, -true))
    assert right < wrong < turned
    assert loss(none, true)[0] == wrong
    assert right < loss(true, none, batch["targets"] + 0.01)[0]
