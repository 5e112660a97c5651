"""MegaDepth against reference outputs of the original network."""

import functools

import jax
import numpy as np
import pytest

from tests import support
from vfi_jax import registry, weights
from vfi_jax.networks import megadepth

CASES = {case["name"]: case for case in support.portable("megadepth")["cases"]}
MODEL = registry.create("megadepth")


@functools.cache
def _variables():
    # The portable and the full cases have the same weights.
    return weights.convert("megadepth", support.portable_state_dict("megadepth"))


@jax.jit
def run(variables, frame):
    out, state = MODEL.apply(
        variables,
        frame,
        capture_intermediates=lambda module, _: module.name in ("stem", "hourglass"),
        mutable="intermediates",
    )
    parts = {name: state["intermediates"][name]["__call__"][0] for name in ("stem", "hourglass")}
    return {**out, **parts}


def test_it_has_the_parameters_of_the_original():
    assert registry.count_parameters(registry.abstract_variables(MODEL)) == 5_357_153


@pytest.mark.parametrize("name", ["64x64", pytest.param("48x80", marks=pytest.mark.slow)])
def test_portable_case(name):
    case = CASES[name]
    parts = run(_variables(), support.clip(case) / np.float32(255))
    for key, output in case["outputs"].items():
        support.assert_samples(parts[key], output)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["case-0", "case-1", "case-2"])
def test_full_case(name):
    arrays = support.full_case("megadepth_hourglass", name)
    parts = run(_variables(), support.channels_last(arrays["im1"]) / np.float32(255))
    support.assert_close(parts["log_depth"], support.channels_last(arrays["log_depth"]))
    stem = support.channels_last(arrays["stem_ch0_3"])
    support.assert_close(parts["stem"][..., : stem.shape[-1]], stem)
    support.assert_close(parts["hourglass"][..., ::8], support.channels_last(arrays["hg_ch0_7"]))


def test_only_the_stem_is_normalised_with_a_scale():
    params = registry.abstract_variables(MODEL)["params"]
    paths = [
        [key.key for key in path] for path, _ in jax.tree_util.tree_flatten_with_path(params)[0]
    ]
    assert [path for path in paths if "norm" in path] == [
        ["stem", "norm", "bias"],
        ["stem", "norm", "scale"],
    ]
    assert megadepth.Model().multiple == 16
