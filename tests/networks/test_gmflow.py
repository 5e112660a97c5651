"""GMFlow against reference outputs of the original, with stand-in and released weights."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from vfi_jax import registry, weights
from vfi_jax.layers import window_transformer
from vfi_jax.networks import gmflow

MODEL = registry.create("gmflow")
SMALL = gmflow.Model(gmflow.Config(widths=(8, 8, 8), features=8, blocks=2, upsampler=8))
CASES = {case["name"]: case for case in support.portable("gmflow")["cases"]}
# Of max(1, the largest value); matching over repeated texture is ill-conditioned.
OF_FEATURES, OF_FLOWS = 5e-5, 3e-4
RELEASED = 1e-4  # of features, on released weights


@pytest.fixture(scope="module")
def stand_in():
    """Portable and full cases have the same weights."""
    return weights.convert("gmflow", support.portable_state_dict("gmflow"))


@functools.partial(jax.jit, static_argnums=0)
def run(model, variables, frame0, frame1):
    """Our values for the reference outputs, by name, from one pair `[H, W, 3]`."""
    out, state = model.apply(
        variables, frame0[None], frame1[None], capture_intermediates=True, mutable=["intermediates"]
    )
    seen = state["intermediates"]
    (features,), transformer = seen["backbone"]["__call__"], seen["transformer"]
    found = {
        "flow": out["flow"],
        "flow_s2": out["flow"][:, ::2, ::2],
        "feat_4": features[:, ::2, ::2, ::8],
        "feat_8": features[:, ::2, ::2, ::8],
        "upmask_s2": seen["upsampler"]["conv1"]["__call__"][0][:, ::2, ::2, ::4],
    }
    for call, (scale, step) in enumerate(((8, 1), (4, 2))):

        def sliced(x, step=step):
            return x[:, ::step, ::step, ::8]

        found[f"match_{scale}"] = seen["matched"][call]
        found[f"prop_{scale}"] = seen["propagation"]["__call__"][call]
        for name, x in (
            ("tr_in", transformer["positioned"][call]),
            ("tr_out", transformer["__call__"][call]),
        ):
            found[f"{name}0_{scale}"], found[f"{name}1_{scale}"] = jnp.split(sliced(x), 2)
        for index in (0, 1):
            block = transformer[f"block{index}"]["__call__"][call]
            found[f"tr_layer{index}_{scale}"] = sliced(block)
    return found


def tolerance(name, of_features):
    return of_features if name.startswith(("feat", "tr_")) else OF_FLOWS


def test_it_has_the_parameters_of_the_original(stand_in):
    assert registry.count_parameters(stand_in) == 4_716_720


@pytest.mark.parametrize("name", support.smallest_quick(CASES))
def test_portable_cases(stand_in, name):
    case = CASES[name]
    frames = support.clip(case) / np.float32(255)
    found = run(MODEL, stand_in, frames[0], frames[2])
    for output, figures in case["outputs"].items():
        support.assert_samples(found[output], figures, tolerance=tolerance(output, OF_FEATURES))


@pytest.mark.slow
@pytest.mark.parametrize("name", support.full_names("gmflow"))
def test_full_cases(stand_in, name):
    arrays = support.full_case("gmflow", name)
    case = next(c for c in support.full("gmflow")["cases"] if c["file"] == f"{name}.npz")
    released = case["weights"] == "released"
    if released:
        (path,) = support.real_weights("gmflow.pkl")
        stand_in = weights.convert("gmflow", weights.read_torch(path))
    frames = [arrays[f"img{index}_rgb_uint8"] / np.float32(255) for index in (0, 1)]
    found = run(MODEL, stand_in, *frames)
    for output in case["outputs"]:
        wanted = support.channels_last(arrays[output])
        of_features = RELEASED if released else OF_FEATURES
        support.assert_close(found[output], wanted, tolerance(output, of_features))


@pytest.mark.slow
def test_both_directions_equal_separate_calls():
    variables = support.variables(SMALL)
    frames = np.random.default_rng(0).random((2, 2, 32, 64, 3), np.float32)  # two pairs
    apply = jax.jit(SMALL.apply, static_argnames="both")
    both = apply(variables, frames[0], frames[1], both=True)["flow"]
    apart = [apply(variables, *pair)["flow"] for pair in (frames, frames[::-1])]
    assert np.abs(apart[0] - apart[1]).mean() > 1
    np.testing.assert_allclose(both, np.concatenate(apart), atol=2e-3)  # pixels, of 30


def test_chunked_attention_equals_full_attention(monkeypatch):
    rng = np.random.default_rng(0)
    query, key, value = (rng.standard_normal((2, 3, 5, size)) for size in (4, 4, 2))
    flat = (x.reshape(2, 15, -1) for x in (query, key, value))
    wanted = window_transformer.attend(*flat).reshape(2, 3, 5, 2)
    monkeypatch.setattr(window_transformer, "QUERIES", 4)
    found = window_transformer.attend_to_all(query, key, value)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_shifted_windows_do_not_attend_across_the_wrap():
    """Four tokens in a row, windows of two: shifted ones hold the middle two; the outer two share
    a window and do not see each other."""
    value = np.arange(4, dtype=np.float32).reshape(1, 1, 4, 1).repeat(2, axis=1)
    zeros = np.zeros_like(value)
    out = window_transformer.attend_in_windows(zeros, zeros, value, windows=2, shifted=True)
    np.testing.assert_allclose(out[0, 0, :, 0], [0, 1.5, 1.5, 3], atol=1e-6)


@pytest.mark.slow
def test_gradients_are_finite_and_reach_every_parameter():
    variables = support.variables(SMALL)
    frames = np.random.default_rng(0).random((2, 1, 32, 32, 3), np.float32)

    @jax.jit
    @jax.grad
    def gradients(params):
        flows = SMALL.apply({"params": params}, *frames)["flows"]
        return sum(jnp.abs(flow - 1).mean() for flow in flows)

    found = gradients(variables["params"])
    for path, leaf in jax.tree_util.tree_leaves_with_path(found):
        assert np.isfinite(leaf).all(), path
        assert np.any(leaf), path
