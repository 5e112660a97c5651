"""SepConv++ against reference outputs of the original network."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from tests.golden import standin
from vfi_jax import registry, weights
from vfi_jax.interpolation import padding
from vfi_jax.models import resepconv

MODEL = registry.create("resepconv")
CASES = {case["name"]: case for case in support.portable("resepconv")["cases"]}
KERNELS = ("vertical1", "horizontal1", "vertical2", "horizontal2")
EVERY_12TH = (slice(None), slice(3, None, 12), slice(5, None, 12))
STORED = {  # what full cases keep of the network's parts
    **dict.fromkeys(KERNELS, EVERY_12TH),
    "decode": (..., slice(1, None, 8), slice(1, None, 8), slice(None, None, 8)),
}
STEADY = 0.05  # sum of the kernels that can be divided by
EVEN = padding.Padding()  # and the model's own multiple, as the authors' caller pads


@jax.jit
def run(variables, frames):
    """Our values for the reference outputs, by name, before cropping."""
    times = jnp.full((1, 1), 0.5)
    out, state = MODEL.apply(variables, frames, times, capture_intermediates=True)
    calls = state["intermediates"]
    down, lateral, up = (calls[name]["__call__"][0] for name in ("down1", "lateral1", "up1"))
    decode = down + lateral + up[:, : down.shape[1], : down.shape[2]]
    kernels = dict(zip(KERNELS, (*out["kernels1"], *out["kernels2"]), strict=True))
    frame_t, weight = out["frames"][:, 0, ..., ::-1], out["weight"]  # figures are of BGR
    divided = frame_t * jnp.where(jnp.abs(weight) < resepconv.NO_WEIGHT, 1, weight)
    sums = {"normalizer": weight, "unnormalized": divided}
    return {"out": frame_t, "decode": decode, **sums, **kernels}


def outputs_of(variables, frames):
    """Our values for the reference outputs, by name, from frames `[2, H, W, 3]`."""
    amounts = EVEN.amounts(frames.shape[1:3], multiple=MODEL.contract.multiple)
    found = run(variables, padding.pad(frames, amounts, "edge")[None] / np.float32(255))
    return found | {"out": padding.crop(found["out"], amounts)}


def test_it_has_the_parameters_of_the_original():
    assert registry.count_parameters(registry.abstract_variables(MODEL)) == 13_560_102


@pytest.mark.parametrize("name", support.smallest_quick(CASES))
def test_portable_cases(name):
    case = CASES[name]
    variables = weights.convert("resepconv", support.portable_state_dict("resepconv"))
    found = outputs_of(variables, support.clip(case))
    for output, figures in case["outputs"].items():
        support.assert_samples(found[output], figures)


@pytest.mark.slow
@pytest.mark.parametrize("index", range(3))
def test_full_cases(index):
    arrays = support.full_case("resepconv", f"case-{index}")
    case = support.full("resepconv")["cases"][index]
    arrays_of = {**support.full("resepconv"), "gains": case["gains"]}
    variables = weights.convert("resepconv", standin.state_dict(arrays_of))
    frames = np.stack([arrays[f"{name}_rgb_uint8"] for name in ("one", "two")])
    found = outputs_of(variables, frames)
    for output in ("normalizer", "unnormalized"):
        wanted = support.channels_last(arrays[output])[None]
        _assert_within_noise(found[output], wanted, case["f32_vs_f64_max_abs"][output]["max_abs"])
    for output, stored in STORED.items():
        wanted = support.channels_last(arrays[f"{output}_sub"])
        noise = case["f32_vs_f64_max_abs"][f"{output}_sub"]["max_abs"]
        _assert_within_noise(found[output][stored], wanted, noise)
    # Where the weight is nearly 0, the quotient is arbitrary.
    height, width = frames.shape[1:3]
    steady = np.abs(arrays["normalizer"][0, :height, :width]) > STEADY
    assert steady.mean() > 0.95
    wanted = support.channels_last(arrays["out"])[None]
    noise = case["out_max_abs_where_normalizer_gt_0.05"]
    _assert_within_noise(found["out"][:, steady], wanted[:, steady], noise)


def _assert_within_noise(found, wanted, noise):
    """Within five times the original's own float32 noise."""
    tolerance = max(support.TOLERANCE, 5 * noise / max(1, np.abs(wanted).max()))
    support.assert_close(found, wanted, tolerance)
