"""IFRNet against reference outputs of the original architecture and losses in PyTorch."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from vfi_jax import losses, registry, weights
from vfi_jax.training.recipes import ifrnet as recipe
from vfi_jax.weights import conversion

CASES = {case["name"]: case for case in support.portable("ifrnet")["cases"]}
FRAMES = {name: case for name, case in CASES.items() if not name.endswith("-loss")}


def _name(case):
    variant = case["variant"] or ("gopro" if case["time"] != 0.5 else "")
    return f"ifrnet/{variant}" if variant else "ifrnet"


def _variables(case):
    keys = f"ifrnet_{case['variant']}" if case["variant"] else "ifrnet"
    arrays = support.portable_state_dict("ifrnet", keys=keys)
    return weights.convert(_name(case), arrays)


@functools.partial(jax.jit, static_argnums=0)
def run(model, variables, frames, time):
    return model.apply(variables, frames, jnp.full((1, 1), time))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("ifrnet", 4_959_692), ("ifrnet/l", 19_699_460), ("ifrnet/s", 2_803_610)],
)
def test_it_has_the_parameters_of_the_original(name, parameters):
    model = registry.create(name)
    assert registry.count_parameters(registry.abstract_variables(model)) == parameters


def test_the_contract_follows_the_config():
    assert registry.create("ifrnet").contract.times == (0.5,)
    assert registry.create("ifrnet/gopro").contract.times is None
    assert registry.create("ifrnet").contract.multiple == 16
    assert registry.create("ifrnet", flow_scale=0.8).contract.multiple == 20
    assert registry.create("ifrnet", flow_scale=0.5).contract.multiple == 32
    with pytest.raises(ValueError, match="flow_scale must be one of"):
        registry.create("ifrnet", flow_scale=3)


@pytest.mark.parametrize("name", support.smallest_quick(FRAMES))
def test_portable_cases(name):
    case = CASES[name]
    model = registry.create(_name(case), flow_scale=case["flow_scale"])
    frames = support.clip(case)[None, ::2] / np.float32(255)
    _assert_figures(run(model, _variables(case), frames, case["time"]), case)


def _assert_figures(found, case):
    support.assert_samples(found["frames"][:, 0], case["outputs"]["out"])
    for level, features in enumerate(found["features"]):
        support.assert_samples(features[:, 0], case["outputs"][f"feature{level}"], tolerance=1e-4)
    for level, flow in enumerate(found["flows"]):
        both = jnp.concatenate([flow[:, 0, 0], flow[:, 0, 1]], axis=-1)
        support.assert_samples(both, case["outputs"][f"flow{level}"], tolerance=1e-4)


@pytest.mark.parametrize("flow_scale", [0.5, 2])
def test_training_features_have_the_size_of_the_target_features(flow_scale):
    model = registry.create("ifrnet/s", flow_scale=flow_scale)
    side = model.contract.multiple
    clip = jax.ShapeDtypeStruct((1, 2, side, side, 3), np.float32)
    prediction, _ = jax.eval_shape(
        lambda frames, key: model.init_with_output(
            key, frames, jnp.full((1, 1), 0.5), targets=frames[:, :1], train=True
        ),
        clip,
        jax.random.key(0),
    )
    shapes = [features.shape[-3:] for features in prediction["features"]]
    assert shapes == [features.shape[-3:] for features in prediction["target_features"]]


@pytest.mark.slow
def test_the_training_loss_and_its_gradients():
    case = CASES["s-64x64-t0.5-loss"]
    model = registry.create("ifrnet/s")
    variables = _variables(case)
    clip = support.clip(case)[None] / np.float32(255)
    batch = {"frames": clip[:, ::2], "targets": clip[:, 1:2]}
    teacher = _ramps(*clip.shape[2:4])

    @functools.partial(jax.value_and_grad, has_aux=True)
    def loss(params):
        prediction = model.apply(
            {"params": params},
            batch["frames"],
            jnp.full((1, 1), 0.5),
            targets=batch["targets"],
            train=True,
        )
        total, parts = recipe.without_teacher(prediction, batch, {})
        *coarse, finest = prediction["flows"]
        distance = recipe.DISTILLATION * losses.robust_flow_distance(coarse, finest, teacher)
        return total + distance, ({**parts, "distillation": distance}, prediction)

    (_, (parts, prediction)), gradient = jax.jit(loss)(variables["params"])
    _assert_figures(prediction, case)
    parts["reconstruction"] = parts["charbonnier"] + parts["census"]
    for part in ("reconstruction", "geometry", "distillation"):
        np.testing.assert_allclose(parts[part], case["outputs"][part]["value"], rtol=1e-5)
    rows = support.read_keys("ifrnet_s")
    rules = conversion.rules_of("ifrnet/s")
    norms = [
        np.linalg.norm(support.original(rules, gradient, key, shape)) for key, shape, _ in rows
    ]
    wanted = np.array(case["outputs"]["gradient_norms"]["value"])
    support.assert_close(norms / wanted.max(), wanted / wanted.max(), 1e-4)


def _ramps(height, width):
    """The teacher's flow of the case, `[1, 1, 2, H, W, 2]`."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    flow0, flow1 = np.stack([-2 + x, 1 - y], -1), np.stack([2 - x, -1 + y], -1)
    return np.float32(np.stack([flow0, flow1]))[None, None]
