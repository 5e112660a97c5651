"""RIFE against reference outputs of the original network."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from tests import support
from tests.golden import standin
from vfi_jax import losses, ops, registry, weights
from vfi_jax.interpolation.padding import named, pad
from vfi_jax.layers.refinement import warped
from vfi_jax.models import rife
from vfi_jax.training.recipes import rife as recipe
from vfi_jax.weights import conversion, engine

SYSTEMS = {"rife": "rife", "rife_m": "rife/m"}
CASES = {
    (group, case["name"]): case for group in SYSTEMS for case in support.portable(group)["cases"]
}
ALONE = ("warp", "lap-loss", "train-three-steps")  # these have tests of their own
FRAMES = {key: case for key, case in CASES.items() if key[1] not in ALONE}
NETWORKS = {  # what a case's name or description says of the network that ran
    "scale-0.5": ("rife", {"flow_scale": 0.5}),
    "scale=0.5": ("rife", {"flow_scale": 0.5}),
    "scale-2": ("rife", {"flow_scale": 2.0}),
    "scale=2": ("rife", {"flow_scale": 2.0}),
    "2R": ("rife/2r", {}),
}
FLOW_TOLERANCE = 1e-4  # pixels; float32 noise of the original's flows is 1e-5
GRADIENT_TOLERANCE = 1e-4  # of the largest; float32 noise of the original's gradients is 1e-5


@functools.cache
def variables(group, kind):
    """Variables, the teacher's too, from a "portable" or a "full" group's state dict."""
    if kind == "portable":
        arrays = support.portable_state_dict(group)
    else:
        manifest = support.full("rife")
        rows = manifest["state_dict_m" if group == "rife_m" else "state_dict"]
        arrays = standin.state_dict({**manifest, "state_dict": rows})
    model = registry.create(SYSTEMS[group])
    abstract = registry.abstract_variables(model, train=True)
    leaves, _ = jax.tree_util.tree_flatten_with_path(abstract)
    shapes = {tuple(entry.key for entry in path): leaf.shape for path, leaf in leaves}
    rules = conversion.mapping_of("rife").rules(model.config, train=True)
    return engine.apply(rules, arrays, shapes, name=SYSTEMS[group])


@functools.partial(jax.jit, static_argnums=0)
def run(model, variables, frames, time):
    """Our values for the reference outputs, by name, from frames `[1, 2, H, W, 3]`."""
    times = jnp.full((1, 1), time)
    prediction = model.apply(variables, frames, times)
    flows, blends = prediction["flows"], prediction["blends"]
    found = {"out": prediction["frames"][:, 0], "residual": prediction["residual"][:, 0]}
    for level, (flow, blend) in enumerate(zip(flows, blends, strict=True)):
        found[f"flow{level}"] = jnp.concatenate([flow[:, 0, 0], flow[:, 0, 1]], axis=-1)
        found[f"merged{level}"] = blend[:, 0]
    found["merged2_before_refine"] = found["merged2"]

    def parts(model, frames):  # again, so compiled into what made the prediction
        time = times[:, 0] if model.config.any_time else None
        finest = model.flow(frames, model.flow.prepare(frames), time)[-1]
        return finest.logit, warped(model.context(frames), finest.flow)

    found["mask_logit"], context = model.apply(variables, frames[..., ::-1], method=parts)
    found["mask"] = jax.nn.sigmoid(found["mask_logit"])
    for level, features in enumerate(context):
        found |= {f"ctx{index}_{level}": features[:, index] for index in (0, 1)}
    images = ("out", "residual", "merged")  # kept as BGR
    return {name: x[..., ::-1] if name.startswith(images) else x for name, x in found.items()}


def outputs_of(words, kind, frames, time):
    """Our values for a stored case, from frames `[2, H, W, 3]`; `time` is None for IFNet."""
    group, name = ("rife", "rife") if time is None else ("rife_m", "rife/m")
    options: dict = {}
    for mark in NETWORKS:
        if mark in words:
            name, options = NETWORKS[mark]
    amounts = named("rife").amounts(frames.shape[1:3])
    frames = pad(frames / np.float32(255), amounts, "zero")[None]
    call = functools.partial(run, registry.create(name, **options), variables(group, kind))
    found = call(frames, time or 0.5)
    if "2T" in words:
        turned = call(frames[:, :, ::-1, ::-1], time or 0.5)
        found["out_tta"] = (found["out"] + turned["out"][:, ::-1, ::-1]) / 2
    return found


def tolerance(name):
    return FLOW_TOLERANCE if name.startswith(("flow", "mask_logit")) else support.TOLERANCE


def test_it_has_the_parameters_of_the_original():
    def count(name, *, train):
        return registry.count_parameters(
            registry.abstract_variables(registry.create(name), train=train)
        )

    assert count("rife", train=False) == count("rife/2r", train=False) == 10_071_550
    assert count("rife", train=True) == 10_708_215
    assert count("rife/m", train=False) == 10_073_710
    assert count("rife/m", train=True) == 10_710_780


def test_the_released_file_converts_without_the_teacher():
    saved = {f"module.{key}": array for key, array in support.portable_state_dict("rife").items()}
    notes: list[str] = []
    assert registry.count_parameters(weights.convert("rife", saved, notes=notes)) == 10_071_550
    assert "32 unused keys: block_tea" in notes[-1]


def test_the_contract_follows_the_config():
    assert registry.create("rife").contract.times == (0.5,)
    assert registry.create("rife/m").contract.times is None
    assert registry.create("rife/m", flow_scale=0.5).contract.multiple == 64
    with pytest.raises(ValueError, match="flow_scale must be one of"):
        registry.create("rife", flow_scale=3)


@pytest.mark.parametrize(("group", "name"), support.smallest_quick(FRAMES))
def test_portable_cases(group, name):
    case = CASES[group, name]
    time = float(name.split("-")[0][1:]) if group == "rife_m" else None
    frames = support.clip(case)[::2, ..., ::-1]  # the original took these as BGR
    found = outputs_of(name, "portable", frames, time)
    for output, figures in case["outputs"].items():
        if output == "uint8":
            cropped = found["out"][:, : frames.shape[1], : frames.shape[2]]
            support.assert_samples(np.trunc(255 * cropped), figures, tolerance=1 / 255)
        else:
            support.assert_samples(found[output], figures, tolerance=tolerance(output))


@pytest.mark.slow
@pytest.mark.parametrize("index", range(11))
def test_full_cases(index):
    arrays = support.full_case("rife", f"case-{index}")
    case = support.full("rife")["cases"][index]
    frames = np.stack([arrays["img0_bgr_uint8"], arrays["img1_bgr_uint8"]])[..., ::-1]
    time = float(arrays["timestep"]) if "timestep" in arrays else None
    found = outputs_of(case["what"], "full", frames, time)
    for output in set(case["outputs"]) - {"uint8"}:
        array = found[output]
        if output.startswith("ctx"):  # kept thinned out, the two finer levels in space as well
            array = array[..., ::8] if output[-1] in "23" else array[:, ::2, ::2, ::8]
        support.assert_close(array, support.channels_last(arrays[output]), tolerance(output))


class Training:
    """Three of the original's training steps, on frames `[3, H, W, 3]` whose middle is the target.

    Attributes:
      rows: total, laplacian, teacher and distillation before each step and after the last.
      prediction, gradient: before the first step.
      params: after the last step.
    """

    def __init__(self, params, frames):
        frames = frames[None] / np.float32(255)
        self.batch = {"frames": frames[:, ::2], "targets": frames[:, 1:2]}
        value_and_grad = jax.value_and_grad(self.loss, has_aux=True)
        value_and_grad = jax.jit(value_and_grad)
        optimizer = optax.adamw(1e-4, weight_decay=1e-3)
        state, self.rows, self.params = optimizer.init(params), [], params
        for step in range(4):
            (total, (prediction, parts)), gradient = value_and_grad(self.params)
            names = ("laplacian", "teacher", "distillation")
            self.rows.append([total, *(parts[name] for name in names)])
            if step == 0:
                self.prediction, self.gradient = prediction, gradient
            if step < 3:
                updates, state = optimizer.update(gradient, state, self.params)
                self.params = optax.apply_updates(self.params, updates)

    def loss(self, params):
        frames, targets = self.batch["frames"], self.batch["targets"]
        prediction = registry.create("rife").apply(
            {"params": params}, frames, jnp.full((1, 1), 0.5), targets=targets, train=True
        )
        total, parts = recipe.loss(prediction, self.batch, {})
        return total, (prediction, parts)

    def distillation(self):
        """The loss of each level alone."""
        prediction = self.prediction
        return [
            losses.flow_distillation(
                [flow],
                [blend],
                prediction["teacher_flow"],
                prediction["teacher_blend"],
                self.batch["targets"],
            )
            for flow, blend in zip(prediction["flows"], prediction["blends"], strict=True)
        ]

    def found(self, name):
        """(array, tolerance) for one of upstream's names, in its layout but for the channels."""
        kind, _, key = name.replace("__", ":").partition(":")
        if key:
            array = original(self.gradient if kind == "grad" else self.params, key)
            return array, GRADIENT_TOLERANCE if kind == "grad" else support.TOLERANCE
        prediction = self.prediction
        match kind:
            case "distill_per_level":
                return np.array(self.distillation()), 1e-5
            case "grad_l2" | "grad_l2_per_parameter":
                return norms(self.gradient), GRADIENT_TOLERANCE
            case "param_l2_after_3_steps":
                return norms(self.params), 1e-5
            case "flow_tea":
                pair = prediction["teacher_flow"][:, 0]
                return np.concatenate([pair[:, 0], pair[:, 1]], axis=-1), FLOW_TOLERANCE
            case _:
                images = {"out": "frames", "merged_tea": "teacher_blend"}
                return prediction[images[kind]][:, 0, ..., ::-1], support.TOLERANCE


def assert_losses(rows, desired):
    """Losses before each step and after the last; `desired` as upstream kept it."""
    rows, desired = np.array(rows), np.reshape(desired, (4, 4))
    np.testing.assert_allclose(rows[0], desired[0], rtol=1e-5)
    # Distillation has a threshold at every pixel. After a step of Adam rounding moves some past it,
    # one that is 4 pixels from the teacher's flow counts for 4 / 64^2, and later steps follow.
    np.testing.assert_allclose(rows[:, 0], desired[:, 0], rtol=2e-3)
    np.testing.assert_allclose(rows[:, 3], desired[:, 3], atol=2e-3)


def original(tree, key):
    shape = next(shape for name, shape, _ in support.read_keys("rife") if name == key)
    rules = conversion.mapping_of("rife").rules(rife.Config(), train=True)
    return support.original(rules, tree, key, shape)


def norms(tree):
    """L2 norms of the arrays of all upstream keys, in their order."""
    return np.array([np.linalg.norm(original(tree, row[0])) for row in support.read_keys("rife")])


@pytest.mark.slow
def test_the_training_step_of_the_portable_case():
    case = CASES["rife", "train-three-steps"]
    training = Training(variables("rife", "portable")["params"], support.clip(case)[..., ::-1])
    assert_losses(training.rows, case["outputs"]["losses"]["value"])
    for name in set(case["outputs"]) - {"losses", "loss_mask"}:
        figures = case["outputs"][name]
        array, limit = training.found(name)
        largest = figures.get("max_abs", np.abs(figures["value"]).max())
        support.assert_samples(array, figures, tolerance=limit * min(1.0, largest))


@pytest.mark.slow
def test_the_training_step_of_the_full_case():
    arrays = support.full_case("rife", "case-11")
    stack = np.stack([arrays[f"{name}_bgr_uint8"] for name in ("img0", "gt", "img1")])
    training = Training(variables("rife", "full")["params"], stack[..., ::-1])
    assert_losses(training.rows, arrays["losses"])
    inputs = {name for name in arrays if name.endswith("uint8")}
    for name in set(arrays) - inputs - {"losses", "loss_mask"}:
        array, limit = training.found(name)
        if name in ("out", "flow_tea", "merged_tea"):
            array = support.channels_first(array, "NCHW")
        largest = np.abs(arrays[name]).max()
        support.assert_close(array, arrays[name], limit * min(1.0, largest))


def test_the_portable_functions():
    for name in ("warp", "lap-loss"):
        case = CASES["rife", name]
        rng = np.random.RandomState(int(case["input"]["rng"].split("(")[1][:-1]))
        drawn = {
            key: support.channels_last(eval(text, {"rng": rng}).astype(np.float32))
            for key, text in case["input"]["inputs"]
        }
        found = functions_alone(drawn)
        for output, figures in case["outputs"].items():
            if output == "loss":
                np.testing.assert_allclose(found["loss"], figures["value"][0], rtol=1e-5)
                continue
            largest = min(1.0, figures["max_abs"])
            support.assert_samples(found[output], figures, tolerance=support.TOLERANCE * largest)


@jax.jit
def functions_alone(drawn):
    """The warp or the loss of `drawn`, whichever its arrays are for, with gradients."""
    if "flow" in drawn:
        warp = functools.partial(ops.backward_warp, padding="border")
        out, gradient = jax.vjp(warp, drawn["image"], drawn["flow"])
        of_image, of_flow = gradient(drawn["cotangent"])
        return {"out": out, "grad_image": of_image, "grad_flow": of_flow}
    loss, gradient = jax.value_and_grad(losses.laplacian)(drawn["pred"], drawn["gt"])
    pyramid = ops.laplacian_pyramid(drawn["pred"], levels=5)
    bands = {f"pyramid{level}": band for level, band in enumerate(pyramid[:-1])}
    return {"loss": loss, "grad_pred": gradient, **bands}


def test_equal_flows_have_zero_distillation_and_a_finite_gradient():
    flow = jnp.ones((1, 2, 4, 4, 2))
    blend, target = jnp.zeros((1, 4, 4, 3)), jnp.ones((1, 4, 4, 3))

    def loss(flow):
        return losses.flow_distillation([flow], [blend], jnp.ones_like(flow), target, target)

    assert loss(flow) == 0
    np.testing.assert_array_equal(jax.grad(loss)(flow), 0)
    np.testing.assert_allclose(loss(flow + 3), 3, rtol=1e-6)
