"""Deep Voxel Flow against reference outputs of the original network."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from vfi_jax import losses, registry, weights
from vfi_jax.weights import conversion

MODES = {  # name of a stored output -> the Config that makes it
    "out": {},
    "out_inter_acT": {},
    "out_inter_acF": {"align_corners": False},
    "out_align_false": {"align_corners": False},
    "out_extra": {"extrapolate": True},
    "out_extra_acT": {"extrapolate": True},
    "out_extra_acF": {"extrapolate": True, "align_corners": False},
}
TIMES = jnp.full((1, 1), 0.5)
BLOCKS = ("conv1", "conv3", "bottleneck", "deconv2")
STORED = {  # channels, rows and columns of each block that full cases keep
    "conv1": (16, 4),
    "conv3": (16, 1),
    "bottleneck": (8, 1),
    "deconv2": (16, 1),
}
CASES = {case["name"]: case for case in support.portable("voxel_flow")["cases"]}


@pytest.fixture(scope="module")
def portable_variables():
    return weights.convert("voxel_flow", support.portable_state_dict("voxel_flow"))


@pytest.fixture(scope="module")
def full_variables():
    return weights.convert("voxel_flow", support.full_state_dict("dvf"))


@functools.partial(jax.jit, static_argnames="names")
def run(variables, frames, names):
    """The named outputs, as the original gives them (BGR in [-1, 1]), and the network's parts."""
    found = {}
    for name in names:
        model = registry.create("voxel_flow", **MODES[name])
        times = jnp.full((1, 1), model.contract.times[0])
        out, state = model.apply(variables, frames, times, capture_intermediates=True)
        found[name] = 2 * out["frames"][:, 0, ..., ::-1] - 1
    network = state["intermediates"]["scale0"]
    found |= {name: network[name]["__call__"][0] for name in BLOCKS}
    return found | {"flow": 2 * out["motion"], "mask": 2 * out["mask"] - 1}


def test_a_motion_in_pixels_does_not_grow_with_the_image():
    model = registry.create("voxel_flow/small")
    out = jax.jit(model.apply)(support.variables(model), jnp.ones((1, 2, 16, 32, 3)) / 2, TIMES)
    assert jnp.any(out["motion"] != 0)
    np.testing.assert_allclose(out["flow_t1"][:, 0], model.config.unit * out["motion"])
    np.testing.assert_array_equal(out["flow_t0"], -out["flow_t1"])


def test_it_has_the_parameters_of_the_original():
    shapes = registry.abstract_variables(registry.create("voxel_flow"))
    assert registry.count_parameters(shapes) == 3_821_891


def test_old_files_lack_the_batch_counters(portable_variables):
    arrays = support.portable_state_dict("voxel_flow")
    old = {key: array for key, array in arrays.items() if "num_batches" not in key}
    assert len(old) == len(arrays) - 7
    jax.tree.map(
        np.testing.assert_array_equal, weights.convert("voxel_flow", old), portable_variables
    )


def test_extrapolation_predicts_the_frame_after_the_second():
    assert registry.create("voxel_flow/extrapolation").contract.times == (2.0,)


@pytest.mark.slow
def test_every_scale_of_multiscale_learns():
    model = registry.create("voxel_flow/multiscale", widths=(4, 4, 4))
    assert model.contract.multiple == 32
    variables = support.variables(model)
    frames = np.random.default_rng(0).uniform(size=(1, 2, 32, 32, 3)).astype(np.float32)

    @jax.jit
    @jax.grad
    def gradient(params):
        out, _ = model.apply(
            {**variables, "params": params}, frames, TIMES, train=True, mutable=["batch_stats"]
        )
        smooth = 0.01 * losses.total_variation(out["motion"])
        return losses.l1(out["frames"][:, 0], frames[:, 0]) + smooth

    for name, scale in gradient(variables["params"]).items():
        size = jnp.abs(scale["conv1"]["conv"]["kernel"]).max()
        assert 0 < size < np.inf, name


@pytest.mark.parametrize("name", support.smallest_quick(CASES))
def test_portable_cases(portable_variables, name):
    case = CASES[name]
    frames = support.clip(case)[None] / np.float32(255)
    names = tuple(name for name in case["outputs"] if name.startswith("out"))
    found = run(portable_variables, frames, names)
    found |= {"flow_tanh": found["flow"], "mask_tanh": found["mask"]}
    for output, figures in case["outputs"].items():
        support.assert_samples(found[output], figures)


@pytest.mark.slow
@pytest.mark.parametrize("index", range(4))
def test_full_cases(full_variables, index):
    arrays = support.full_case("dvf", f"case-{index}")
    frames = np.stack([arrays[f"frame{n}_rgb_uint8"] for n in (0, 1)], 1) / np.float32(255)
    found = run(full_variables, frames, tuple(name for name in arrays if name.startswith("out")))
    found |= {"flow_raw_tanh": found["flow"], "mask_raw_tanh": found["mask"]}
    for block, (channels, pixels) in STORED.items():
        found[f"{block}_sub"] = found[block][:, ::pixels, ::pixels, ::channels]
    noise = support.full("dvf")["cases"][index]["f32_vs_f64_max_abs"]
    for name in (name for name in arrays if "uint8" not in name):
        # Five times the original network's own rounding, where that exceeds the usual.
        tolerance = max(support.TOLERANCE, 5 * noise[name]["max_abs"])
        support.assert_close(found[name], support.channels_last(arrays[name]), tolerance)


@pytest.mark.slow
def test_training_step(full_variables):
    arrays = support.full_case("dvf", "case-4")
    frames = np.stack([arrays[f"frame{n}_rgb_uint8"] for n in (0, 1)], 1) / np.float32(255)
    truth = arrays["truth_rgb_uint8"] / np.float32(255)
    model = registry.create("voxel_flow", momentum=0.9997)  # as published

    @jax.jit
    def step(params, frames):
        def loss(params, frames):
            variables = {**full_variables, "params": params}
            out, changed = model.apply(
                variables, frames, TIMES, train=True, mutable=["batch_stats"]
            )
            frame_t = out["frames"][:, 0]
            # The original's squared error of images in [-1, 1].
            return jnp.square(2 * (frame_t - truth)).mean(), (frame_t, changed["batch_stats"])

        return jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)(params, frames)

    (loss, (frame_t, statistics)), gradient = step(full_variables["params"], frames)
    np.testing.assert_allclose(loss, arrays["loss"][0], rtol=1e-5)
    support.assert_close(2 * frame_t[..., ::-1] - 1, support.channels_last(arrays["out"]), 3e-5)
    # Here the input is RGB in [0, 1], there BGR in [-1, 1].
    pair = support.channels_first(gradient[1][..., ::-1] / 2, "NCHW")
    near(pair.reshape(arrays["grad_input"].shape), arrays["grad_input"])
    for name in arrays:
        kind, _, key = name.partition("/")
        if kind == "grad":
            leaf, rule = placed(gradient[0], key)
            near(leaf, rule.change(arrays[name]))
        elif kind.startswith("new_running"):
            leaf, _ = placed(statistics, f"{key}.{kind.removeprefix('new_')}")
            support.assert_close(leaf, arrays[name], 1e-5)
    keys = support.full("dvf")["parameter_order_for_grad_l2_all_params"]
    near(
        [np.linalg.norm(placed(gradient[0], key)[0]) for key in keys], arrays["grad_l2_all_params"]
    )


def placed(tree, key):
    """What belongs to an upstream key in a collection, and the key's rule."""
    rule = next(rule for rule in conversion.rules_of("voxel_flow") if rule.match(key))
    for step in rule.match(key).expand(rule.path).split("/"):
        tree = tree[step]
    return tree, rule


def near(actual, desired):
    """Gradients agree within 1e-4 of their largest."""
    largest = np.abs(desired).max()
    support.assert_close(np.asarray(actual) / largest, desired / largest, 1e-4)
