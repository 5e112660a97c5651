"""PWC-Net against reference outputs of the original network."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from vfi_jax import ops, registry, weights
from vfi_jax.networks import pwc_net

LEVELS = range(2, 7)
CASES = {case["name"]: case for case in support.portable("pwc_net")["cases"]}
RGB = registry.create("pwc_net", bgr=False)


@pytest.fixture(scope="module")
def portable_variables():
    return weights.convert("pwc_net", support.portable_state_dict("pwc_net"))


@pytest.fixture(scope="module")
def full_variables():
    return weights.convert("pwc_net", support.full_state_dict("pwcnet"))


@functools.partial(jax.jit, static_argnums=0)
def run(model, variables, frame0, frame1):
    """Every level's parts by the original's names."""
    out, state = model.apply(
        variables,
        frame0,
        frame1,
        capture_intermediates=lambda module, _: isinstance(module, pwc_net.Level),
        mutable="intermediates",
    )
    parts = {
        f"flow{level}": flow * 2**level / pwc_net.FLOW_SCALE
        for level, flow in zip(LEVELS, out["flows"], strict=True)
    }
    for level in LEVELS:
        decoder = state["intermediates"][f"decoder{level}"]
        features = state["intermediates"][f"features{level}"]["__call__"][0]
        parts[f"c1_{level}"], parts[f"c2_{level}"] = jnp.split(features, 2)
        parts[f"corr_{level}"] = decoder["cost_volume"][0]
        parts[f"warp_{level}"] = decoder["warped"][0]
    return parts


def test_it_has_the_parameters_of_the_original():
    assert registry.count_parameters(registry.abstract_variables(RGB)) == 9_374_340


@pytest.mark.parametrize("name", ["64x64", pytest.param("128x128", marks=pytest.mark.slow)])
def test_portable_case(portable_variables, name):
    case = CASES[name]
    parts = run(RGB, portable_variables, *_pair(support.clip(case)))
    for key, output in case["outputs"].items():
        # Intermediates reach 1e-5 in the original's own float32.
        tolerance = support.TOLERANCE if key == "flow2" else 1e-4
        support.assert_samples(parts[key], output, tolerance=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["case-0", "case-1", "case-2", "case-3"])
def test_full_case(full_variables, name):
    arrays = support.full_case("pwcnet", name)
    noise = next(
        case["f32_vs_f64_max_abs"]
        for case in support.full("pwcnet")["cases"]
        if case["file"] == f"{name}.npz"
    )
    frame0, frame1 = (support.channels_last(arrays[key]) for key in ("im1", "im2"))
    parts = run(RGB, full_variables, frame0 / np.float32(255), frame1 / np.float32(255))
    for level in LEVELS:
        key = f"flow{level}"
        tolerance = max(support.TOLERANCE, 5 * noise[key])
        support.assert_close(parts[key], support.channels_last(arrays[key]), tolerance)
    tolerance = max(support.TOLERANCE, 5 * noise["corr_2"])
    support.assert_close(parts["corr_2"][..., 40], arrays["corr_2_ch40"], tolerance)


@pytest.mark.slow
def test_the_authors_caller(full_variables):
    """BGR, enlarged to multiples of 64, the flow brought back from a quarter of that."""
    arrays = support.full_case("pwcnet", "case-4-nvlabs-caller")
    frame0, frame1 = (arrays[f"im{n}_resized_hwc"][None] / np.float32(255) for n in (1, 2))
    model = registry.create("pwc_net")
    flow = jax.jit(model.apply)(full_variables, frame0, frame1)["flow"]
    wanted = arrays["flo_hw2"][None]
    support.assert_close(ops.resize_flow(flow, wanted.shape[1:3]), wanted)


def test_zero_flow_samples_the_features_themselves_at_every_level():
    """The old drift: `grid_sample` without align_corners reads half a pixel from the border."""
    variables = support.variables(RGB)
    for name, decoder in variables["params"].items():
        if name.startswith(("decoder", "context")):
            decoder["flow"] = jax.tree.map(np.zeros_like, decoder["flow"])
        if name.startswith("decoder"):
            decoder["up_flow"] = jax.tree.map(np.zeros_like, decoder["up_flow"])
    frames = np.random.default_rng(0).random((2, 1, 64, 128, 3), np.float32)
    parts = run(RGB, variables, *frames)
    for level in LEVELS:
        assert not np.any(parts[f"flow{level}"])
        np.testing.assert_array_equal(parts[f"warp_{level}"], parts[f"c2_{level}"])


def test_the_untrained_small_variant_finds_the_direction_of_motion():
    """Its levels start from feature matching, which works without training."""
    texture = np.random.default_rng(0).random((16, 24, 3), np.float32)
    texture = np.asarray(jax.image.resize(texture, (128, 192, 3), "cubic"))[None]
    model = registry.create("pwc_net/small")
    variables, frames = _fresh(model), (texture[:, :, 16:144], texture[:, :, 8:136])
    _, state = jax.jit(functools.partial(model.apply, mutable="intermediates"))(variables, *frames)
    for level, pixels in ((2, 2), (3, 1)):  # 8 of the frames' to the right
        (volume,) = state["intermediates"][f"decoder{level}"]["cost_volume"]
        middle = 40 + pixels  # of 9 x 9
        assert (volume[0, 4:-4, 4:-4].argmax(axis=-1) == middle).mean() > 0.9


def test_the_untrained_small_variant_upsamples_coarse_flow():
    model = registry.create("pwc_net/small")
    variables = _fresh(model)
    variables["params"]["decoder5"]["flow"]["bias"] = np.asarray([0.1, -0.2], np.float32)
    frames = np.random.default_rng(0).random((2, 1, 128, 128, 3), np.float32)
    flow = jax.jit(model.apply)(variables, *frames)["flow"]
    middle = flow[:, 12:20, 12:20]  # zeros beside the frame are enlarged with it
    np.testing.assert_allclose(middle, np.broadcast_to([0.5, -1.0], middle.shape), rtol=1e-5)


def _fresh(model):
    """The variables that training starts from."""
    inputs = {name: np.zeros(x.shape, x.dtype) for name, x in model.example_inputs.items()}
    return jax.jit(lambda key: model.init(key, **inputs))(jax.random.key(0, impl="rbg"))


def _pair(frames):
    return frames[:1] / np.float32(255), frames[1:] / np.float32(255)
