"""UPR-Net against reference outputs of the original network."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from vfi_jax import losses, ops, registry, weights
from vfi_jax.training.optimizer import Optimizer
from vfi_jax.training.recipes import upr_net as recipe
from vfi_jax.weights import conversion

PARAMETERS = {"upr_net": 1_653_961, "upr_net/large": 3_701_865, "upr_net/llarge": 6_563_721}
SYSTEMS = {name.replace("/", "_"): name for name in PARAMETERS}
TRAINED, FUNCTIONS = "train-two-steps", "functions"  # these have tests of their own
CASES = {
    (group, case["name"]): case
    for group in SYSTEMS
    for case in support.portable(group)["cases"]
    if case["name"] not in (TRAINED, FUNCTIONS)
}
FULL = [
    *(("upr_net", f"case-{index}") for index in range(6)),
    *(
        (group, f"case-{index}")
        for group in ("upr_net_large", "upr_net_llarge")
        for index in (0, 2)
    ),
]
SPLATTED = 1e-4  # tolerance of what was splatted
MOST = 0.999  # of its pixels: one that a single pixel reaches with hardly any weight may flip


@functools.partial(jax.jit, static_argnums=0)
def run(model, variables, frames, time):
    """Our values for the reference outputs, by name, from frames `[1, 2, H, W, 3]`."""
    out, state = model.apply(variables, frames, jnp.full((1, 1), time), capture_intermediates=True)
    calls = state["intermediates"]
    found = {"out": out["frames"][:, 0, ..., ::-1]}  # kept as BGR
    found["flow"] = jnp.concatenate([out["flow01"], out["flow10"]], axis=-1)
    predicted = calls["synthesis"]["unet"]["head"]["__call__"][-1][0]
    found["residual"] = 2 * jax.nn.sigmoid(predicted[..., :3]) - 1
    found["mask0_mask1"] = jax.nn.sigmoid(predicted[..., 3:])
    for level, (state, flow) in enumerate(reversed(calls["motion"]["__call__"])):
        found[f"feat_l{level}"] = state[..., ::4]
        found[f"flow4_l{level}"] = jnp.concatenate([flow[:, 0], flow[:, 1]], axis=-1)
    for level, frame in enumerate(reversed(out["coarse"]), start=1):
        found[f"interp_l{level}"] = frame[:, 0, ..., ::-1]
    finest = calls["pyramid"]["__call__"][-1]
    for index, step in enumerate((4, 2, 1)):
        found[f"c0_{index}"] = finest[index][:, 0, ::step, ::step, :: 4 if index == 0 else 8]
    halved = {f"{name}_s2": x[:, ::2, ::2] for name, x in found.items() if x.ndim == 4}
    return found | halved


def _model(group, levels, skipped, size):
    name = SYSTEMS[group]
    wide = registry.create(name, flow_scale=0.5**skipped)
    # Wherever a case's levels are those that its size asks for, they are left to the model.
    if wide.config.levels_of(size) == levels:
        return wide
    return registry.create(name, flow_scale=0.5**skipped, levels=levels)


@functools.cache
def _variables(group, kind):
    arrays = {"portable": support.portable_state_dict, "full": support.full_state_dict}[kind](group)
    return weights.convert(SYSTEMS[group], arrays)


def _asked(case):
    """(time, levels, skipped) of a portable case."""
    words = case["input"]["preprocess"][-1].replace(",", " ").replace(";", " ").split()
    after = {word: words[index + 2] for index, word in enumerate(words[:-2])}
    levels = words[words.index("levels") - 1]
    return float(after["t"]), int(levels), int(after["nr_lvl_skipped"])


def _padded(x, shape):
    """The references are padded frames; only the part inside the frame is compared."""
    below, right = (wanted - here for wanted, here in zip(shape, x.shape[1:3], strict=True))
    return np.pad(x, ((0, 0), (0, below), (0, right), (0, 0)), constant_values=np.nan)


@pytest.mark.parametrize("name", PARAMETERS)
def test_it_has_the_parameters_of_the_original(name):
    model = registry.create(name)
    assert registry.count_parameters(registry.abstract_variables(model)) == PARAMETERS[name]


def test_a_file_of_another_model_size_is_rejected():
    saved = support.portable_state_dict("upr_net")
    weights.convert("upr_net", {f"module.{key}": array for key, array in saved.items()})
    with pytest.raises(ValueError, match="upr_net/large"):
        weights.convert("upr_net/large", saved)


@pytest.mark.parametrize(
    ("size", "levels"),
    [
        ((32, 40), 1), ((32, 113), 2), ((256, 448), 3), ((480, 640), 4), ((1080, 1920), 6),
        ((1920, 1080), 6), ((2160, 4096), 7),
    ],
)  # fmt: skip
def test_the_number_of_levels_follows_the_longer_side(size, levels):
    assert registry.create("upr_net").config.levels_of(size) == levels


def test_at_least_one_level_estimates_flow():
    assert registry.create("upr_net", flow_scale=0.25).config.levels_of((32, 40)) == 3
    with pytest.raises(ValueError, match="levels must be at least 3"):
        registry.create("upr_net", levels=2, flow_scale=0.25)
    with pytest.raises(ValueError, match="flow_scale must be one of"):
        registry.create("upr_net", flow_scale=2)


@pytest.mark.parametrize(("group", "name"), support.smallest_quick(CASES))
def test_portable_cases(group, name):
    case = CASES[group, name]
    time, levels, skipped = _asked(case)
    clip = support.clip(case)[::2, ..., ::-1]  # the original took these as BGR
    model = _model(group, levels, skipped, clip.shape[1:3])
    found = run(model, _variables(group, "portable"), clip[None] / np.float32(255), time)
    checked = {name: figures for name, figures in case["outputs"].items() if name in found}
    assert {"out", "flow"} <= {*checked}
    for output, figures in checked.items():
        _assert_samples(found[output], figures, tolerance(output))
    if "uint8" in case["outputs"]:
        bytes_of = np.trunc(255 * np.asarray(found["out"][0]))
        support.assert_samples(bytes_of, case["outputs"]["uint8"], tolerance=1 / 255)


def tolerance(output):
    image = output.startswith(("out", "interp"))
    return SPLATTED if image else 5e-5


def _assert_samples(array, figures, tolerance):
    """`support.assert_samples` where samples may lie in the padding."""
    height, width = figures["shape"][-2:]
    padded = _padded(np.asarray(array), (height, width)).transpose(0, 3, 1, 2).reshape(-1)
    value = np.asarray(figures["value"])
    sampled = padded[np.asarray(figures.get("index", np.arange(value.size)))]
    inside = ~np.isnan(sampled)
    assert inside.mean() > 0.5
    support.assert_close(
        sampled[inside], value[inside], tolerance, largest=figures["max_abs"], within=MOST
    )


@pytest.mark.slow
@pytest.mark.parametrize(("group", "name"), FULL)
def test_full_cases(group, name):
    arrays = support.full_case(group, name)
    clip = np.stack([arrays[f"img{index}_bgr_uint8"] for index in (0, 1)])[..., ::-1]
    model = _model(group, int(arrays["levels"]), int(arrays["skipped"]), clip.shape[1:3])
    frames = clip[None] / np.float32(255)
    found = run(model, _variables(group, "full"), frames, float(arrays["time"]))
    outputs = {output for output in arrays if output in found}
    assert {"out", "flow"} <= outputs
    for output in outputs:
        wanted = support.channels_last(arrays[output])
        here = np.asarray(found[output])
        height, width = here.shape[1:3]
        support.assert_close(here, wanted[:, :height, :width], tolerance(output), within=MOST)


def test_splatting_correlation_and_losses_equal_the_original():
    """On random arrays, with flows at whole pixels, at halves and far outside."""
    case = _case(FUNCTIONS)
    rng = np.random.RandomState(611)

    def drawn(draw, *shape):
        return np.moveaxis(draw(*shape).astype(np.float32), 1, -1)

    values = drawn(rng.standard_normal, (2, 3, 12, 17))
    flow = 3 * rng.standard_normal((2, 2, 12, 17))
    flow[1] = np.round(2 * flow[1]) / 2 + 0.25 * (np.arange(17) % 2)
    flow[1, :, :4], flow[1, :, 5, :5] = 0, 40
    flow = np.moveaxis(np.float32(flow), 1, -1)
    cotangent = drawn(rng.standard_normal, (2, 3, 12, 17))
    features = [drawn(rng.standard_normal, (1, 8, 10, 13)) for _ in range(2)]
    of_corr = drawn(rng.standard_normal, (1, 81, 10, 13))
    images = [drawn(rng.rand, 1, 3, 20, 24) for _ in range(2)]

    def splat(values, flow):
        return ops.forward_splat(values, flow, mode="average", normalise="zero_eps")

    found = {}
    found["splat"], back = jax.vjp(splat, values, flow)
    found["splat_grad_in"], found["splat_grad_flow"] = back(cotangent)
    found["corr"], back = jax.vjp(ops.cost_volume, *features)
    found["corr_grad_a"], found["corr_grad_b"] = back(of_corr)
    for name, loss in (("census", recipe.census), ("charbonnier", losses.charbonnier)):
        value, gradient = jax.value_and_grad(loss)(*(image[..., ::-1] for image in images))
        found |= {name: value[None], f"{name}_grad": gradient[..., ::-1]}
    for output, array in found.items():
        # Where a pixel adds hardly any weight, the gradient of its flow is ill-conditioned.
        within = 0.99 if output == "splat_grad_flow" else 1.0
        support.assert_samples(array, case["outputs"][output], within=within)


@pytest.mark.slow
def test_two_training_steps():
    group = "upr_net"
    case = _case(TRAINED)
    clip = support.clip(case)[None, ..., ::-1] / np.float32(255)
    batch = {"frames": clip[:, ::2], "targets": clip[:, 1:2]}
    model = registry.create("upr_net", levels=3)
    params = _variables(group, "portable")["params"]
    optimizer = Optimizer("adamw", 1e-4, weight_decay=1e-4).build(2)

    def loss(params):
        prediction = model.apply({"params": params}, batch["frames"], jnp.full((1, 1), 0.5))
        total, parts = recipe.loss(prediction, batch, {})
        return total, jnp.stack([total, parts["charbonnier"], parts["census"]])

    rows, gradients, history = support.train(loss, params, optimizer)
    wanted = case["outputs"]
    wanted_rows = np.reshape(wanted["losses"]["value"], (3, 3))
    np.testing.assert_allclose(rows[0], wanted_rows[0], rtol=1e-5)
    np.testing.assert_allclose(np.stack(rows), wanted_rows, rtol=1e-4)
    keys, rules = support.read_keys(group), conversion.rules_of(group)
    support.assert_norms(rules, keys, gradients[0], wanted["grad_l2"], 1e-4)
    support.assert_norms(rules, keys, history[2], wanted["param_l2_after"], 2e-5)


def _case(name):
    return next(case for case in support.portable("upr_net")["cases"] if case["name"] == name)
