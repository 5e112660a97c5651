"""AMT against reference outputs of the original architecture, losses and callers in PyTorch."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from tests import support
from vfi_jax import registry, weights
from vfi_jax.interpolation import Interpolator
from vfi_jax.models import amt
from vfi_jax.training.recipes import amt as recipe
from vfi_jax.weights import conversion

PARAMETERS = {"s": 2_990_543, "l": 12_935_367, "g": 30_638_919}
CASES = {
    (variant, case["name"]): case
    for variant in PARAMETERS
    for case in support.portable(f"amt_{variant}")["cases"]
}
NETWORK = {
    key: case for key, case in CASES.items() if not key[1].startswith(("caller", "vbench", "train"))
}
TOLERANCES = {"out": 5e-5, "mask": 5e-5, "ft": 1e-4, "flow": 2e-4}  # of the originals' manifests


@functools.cache
def variables(variant):
    arrays = support.portable_state_dict(f"amt_{variant}")
    return weights.convert(f"amt/{variant}", arrays)


@functools.partial(jax.jit, static_argnums=0)
def run(model, variables, frames, time):
    return model.apply(variables, frames, jnp.full((1, 1), time))


@pytest.mark.parametrize("variant", PARAMETERS)
def test_it_has_the_parameters_of_the_original(variant):
    model = registry.create(f"amt/{variant}")
    assert registry.count_parameters(registry.abstract_variables(model)) == PARAMETERS[variant]


def test_the_contract_follows_the_config():
    assert registry.create("amt") == registry.create("amt/s")
    assert registry.create("amt/g").contract.times == (0.5,)
    assert registry.create("amt/gopro").contract.times is None
    assert registry.create("amt").contract.multiple == 16
    assert registry.create("amt", flow_scale=0.8).contract.multiple == 20
    with pytest.raises(ValueError, match="flow_scale must be one of"):
        registry.create("amt", flow_scale=3)


@pytest.mark.parametrize(("variant", "name"), support.smallest_quick(NETWORK))
def test_portable_cases(variant, name):
    case = CASES[variant, name]
    scale = 0.8 if name.startswith("scale0.8") else 1.0
    model = registry.create(f"amt/{variant}", flow_scale=scale)
    frames = support.clip(case)[None, ::2] / np.float32(255)
    time = 0.25 if name.endswith("t0.25") else 0.5
    found = _outputs(run(model, variables(variant), frames, time))
    known = {key: wanted for key, wanted in case["outputs"].items() if key in found}
    assert {"out", "flow0_1" if "flow0_1" in known else "flow0_1_sub"} <= known.keys()
    for key, wanted in known.items():
        tolerance = TOLERANCES[key.partition("_")[0].rstrip("01")]
        array = found[key].reshape(wanted["shape"])
        _assert_samples(array, wanted, tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("variant", PARAMETERS)
def test_full_cases(variant):
    for case in support.full(f"amt_{variant}")["cases"]:
        arrays = support.full_case(f"amt_{variant}", case["file"].removesuffix(".npz"))
        if "timestep" not in arrays or "scale_factor" in case["what"]:
            continue
        frames = np.stack([arrays["img0_rgb_uint8"], arrays["img1_rgb_uint8"]])
        model = registry.create(f"amt/{variant}")
        time = arrays["timestep"].item()
        found = _outputs(run(model, variables(variant), frames[None] / np.float32(255), time))
        for key in found.keys() & arrays.keys():
            tolerance = TOLERANCES[key.partition("_")[0].rstrip("01")]
            array = found[key].reshape(arrays[key].shape)
            support.assert_close(array, arrays[key], tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("time", [0.5, 0.125])
def test_frames_as_the_authors_pad_and_round_them(time):
    case = CASES["s", "caller-130x140"]
    interpolator = Interpolator(registry.create("amt/gopro"), variables("s"), padding="centred-16")
    frames = support.clip(case)[::2] / np.float32(255)
    found = np.clip(255 * interpolator(frames, [time])[0], 0, 255).astype(np.uint8)
    wanted = case["outputs"][f"uint8_t{time}"]
    value = found.reshape(-1)[wanted["index"]]
    assert np.abs(value.astype(int) - wanted["value"]).max() <= 1


@pytest.mark.slow
def test_two_training_steps():
    case = CASES["s", "train-two-steps"]
    model, known = registry.create("amt/s"), variables("s")["params"]
    clip = support.clip(case)[None] / np.float32(255)
    batch = {"frames": clip[:, ::2], "targets": clip[:, 1:2]}
    teacher = np.float32(2 * np.random.RandomState(77).standard_normal((1, 4, 8, 8)))
    teacher = support.channels_last(teacher.repeat(16, 2).repeat(16, 3))
    teacher = teacher.reshape(1, 1, 128, 128, 2, 2).transpose(0, 1, 4, 2, 3, 5)

    def loss(params):
        prediction = model.apply({"params": params}, batch["frames"], jnp.full((1, 1), 0.5))
        total, parts = recipe.without_teacher(prediction, batch, {})
        distance = recipe.DISTILLATION * recipe.multi_field_distance(prediction, teacher)
        total += distance
        row = jnp.stack([total, parts["charbonnier"], parts["census"], distance])
        return total, (row, prediction["frames"])

    optimizer = recipe.VIMEO.optimizer
    rule = optax.adamw(optimizer.learning_rate, weight_decay=optimizer.weight_decay)

    seen, gradients, history = support.train(loss, known, rule)
    rows, (frames, *_) = zip(*seen, strict=True)
    outputs = case["outputs"]
    _assert_samples(np.moveaxis(frames[:, 0], -1, 1), outputs["out"], 5e-5)
    wanted = np.reshape(outputs["losses"]["value"], (3, 4))
    np.testing.assert_allclose(rows[0], wanted[0], rtol=1e-5)
    # Adam divides what rounding left of a gradient near zero by itself.
    np.testing.assert_allclose(rows, wanted, atol=1e-4 * wanted.max())
    keys, rules = support.read_keys("amt_s"), conversion.rules_of("amt/s")
    support.assert_norms(rules, keys, gradients[0], outputs["grad_l2"], 1e-4)
    for key, stored in outputs.items():
        if key.startswith("after:"):
            array = _original(history[2], key.removeprefix("after:"), stored["shape"])
            _assert_samples(array, stored, 2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("side", [16, 64, 112])
def test_frames_too_small_for_the_original_give_finite_results(side):
    """It gives NaN from 64 to 112 pixels, and nothing below."""
    model = registry.create("amt", dtype=jnp.bfloat16)
    frames = np.random.default_rng(0).uniform(size=(1, 2, side, side, 3)).astype(np.float32)
    for time in (0.5, 0.0):  # times that no contract offers but a tensor may contain
        found = run(model, variables("s"), frames, time)
        assert np.isfinite(found["frames"]).all()


def test_large_frames_compute_correlations_on_demand(monkeypatch):
    keys = jax.random.split(jax.random.key(0))
    features = jax.random.normal(keys[0], (1, 2, 9, 16, 4))
    flow, time = 3 * jax.random.normal(keys[1], (1, 2, 9, 16, 2)), jnp.full(1, 0.25)
    kept = amt.Correlations.of(features)
    monkeypatch.setattr(amt, "MOST_PAIRED", 9 * 16 - 1)
    made = amt.Correlations.of(features)
    assert kept.volumes
    assert not made.volumes
    np.testing.assert_allclose(made.around(flow, time), kept.around(flow, time), atol=1e-5)


def test_the_field_furthest_from_the_teacher_sets_the_robustness():
    teacher = np.zeros((1, 1, 2, 4, 4, 2), np.float32)
    coarse = (teacher + 10, teacher + 10)

    def distance(*first_flows):
        fields = np.stack([teacher + np.float32(flow) for flow in first_flows], axis=3)
        return recipe.multi_field_distance({"fields": fields, "flows": coarse}, teacher)

    assert distance(0, 5, 1) == distance(5, 5, 5) < distance(1, 1, 1) < distance(0, 0, 0)


def _outputs(found):
    """By the originals' names, channels first."""
    both = zip((4, 3, 2), found["flows"][:-1], found["features"], strict=True)
    out = {"out": found["frames"][:, 0]}
    for level, flow, feature in both:
        out |= {f"flow{side}_{level}": flow[:, 0, side] for side in (0, 1)}
        fewer = feature[:, 0, ..., ::4]
        out[f"ft_{level - 1}"] = fewer[:, ::2, ::2] if level == 2 else fewer
    out = {key: np.moveaxis(np.asarray(array), -1, -3) for key, array in out.items()}
    fields, masks = np.asarray(found["fields"])[:, 0], np.asarray(found["masks"])[:, 0]
    fine = {f"flow{side}_1": np.moveaxis(fields[:, side], -1, 2) for side in (0, 1)}
    fine["mask"] = masks[..., 0]
    return out | fine | {f"{key}_sub": array[..., ::2, ::2] for key, array in fine.items()}


def _assert_samples(array, wanted, tolerance):
    value = np.asarray(wanted["value"])
    index = wanted.get("index", np.arange(value.size))
    largest = wanted.get("max_abs") or np.abs(value).max()
    support.assert_close(np.asarray(array).reshape(-1)[index], value, tolerance, largest=largest)


def _original(tree, key, shape):
    return support.original(conversion.rules_of("amt/s"), tree, key, shape)
