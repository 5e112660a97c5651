"""SoftSplat against reference outputs of the original network."""

import jax
import numpy as np
import pytest

from tests import support
from vfi_jax import registry, weights
from vfi_jax.interpolation import padding

MODEL = registry.create("softsplat")
CASES = {case["name"]: case for case in support.portable("softsplat")["cases"]}
SHARED = {  # names of outputs here and upstream
    "flow01": "flow_forward",
    "flow10": "flow_backward",
    "metric0": "metric_one",
    "metric1": "metric_two",
}
LEVELS = range(len(MODEL.config.widths))


@pytest.fixture(scope="module")
def portable_variables():
    return weights.convert("softsplat", support.portable_state_dict("softsplat"))


@pytest.fixture(scope="module")
def full_variables():
    return weights.convert("softsplat", support.full_state_dict("softsplat_net"))


@jax.jit
def network(variables, frames, times):
    """The prediction, and "warp<level>": what the synthesis network is given for the last time."""
    out, state = MODEL.apply(variables, frames, times, capture_intermediates=True)
    calls = state["intermediates"]["synthesis"]
    return out | {f"warp{level}": calls[f"warped{level}"]["__call__"][0][-1] for level in LEVELS}


def run(variables, frames, times):
    """Our values for the reference outputs, by name, from `[2, H, W, 3]` like the authors' caller:
    sizes made even on the right and below."""
    amounts = padding.Padding().amounts(frames.shape[1:3], multiple=MODEL.contract.multiple)
    padded = padding.pad(frames, amounts, "edge")[None]
    out = network(variables, padded, np.float32([times]))
    frames = padding.crop(out["frames"], amounts)[0, ..., ::-1]  # kept as BGR
    return {
        **{theirs: out[ours] for ours, theirs in SHARED.items()},
        **{f"warp{level}": out[f"warp{level}"] for level in LEVELS},
        **{f"out_t{time}": frame for time, frame in zip(times, frames, strict=True)},
    }


def test_it_has_the_parameters_of_the_original(portable_variables):
    assert registry.count_parameters(portable_variables) == 7_668_852
    assert registry.create("softsplat/l1") == registry.create("softsplat/lf") == MODEL


def test_a_published_file_has_the_older_names(portable_variables):
    arrays = support.portable_state_dict("softsplat")
    older = {key.replace("net", "module"): array for key, array in arrays.items()}
    converted = weights.convert("softsplat", older)
    jax.tree.map(np.testing.assert_array_equal, converted, portable_variables)


@pytest.mark.parametrize("name", support.smallest_quick(CASES))
def test_portable_cases(portable_variables, name):
    case = CASES[name]
    found = run(portable_variables, support.clip(case) / np.float32(255), [case["time"]])
    found["out"] = found[f"out_t{case['time']}"][None]
    for output, figures in case["outputs"].items():
        support.assert_samples(found[output], figures)


@pytest.mark.slow
@pytest.mark.parametrize("index", [1, 2])  # odd sides, and three times; case 0 shows no more
def test_full_cases(full_variables, index):
    arrays = support.full_case("softsplat_net", f"case-{index}")
    case = support.full("softsplat_net")["cases"][index]
    frames = np.stack([arrays[f"{name}_rgb_uint8"] for name in ("one", "two")]) / np.float32(255)
    found = run(full_variables, frames, case["times"])
    for level in LEVELS:
        found[f"warp{level}_last_t_sub"] = found[f"warp{level}"][..., ::4]
    for output, noise in case["f32_vs_f64_max_abs"].items():
        wanted = support.channels_last(arrays[output])
        tolerance = max(support.TOLERANCE, 5 * noise["max_abs"] / max(1, np.abs(wanted).max()))
        support.assert_close(found[output], wanted, tolerance)
