"""Practical-RIFE 4.x against reference outputs of the releases' architecture in PyTorch."""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from tests.golden import standin
from vfi_jax import registry, weights

FIGURES = support.portable("practical_rife")
CASES = {case["name"]: case for case in FIGURES["cases"]}
PARAMETERS = {  # of the releases' networks, without what only training had
    "4.0": 5_160_980,
    "4.2": 5_156_420,
    "4.5": 5_275_520,
    "4.6": 5_306_256,
    "4.7": 5_325_012,
    "4.12.lite": 2_631_804,
    "4.14.lite": 2_968_152,
    "4.15": 5_364_312,
    "4.15.lite": 2_616_476,
    "4.20": 15_376_512,
    "4.22": 9_322_416,
    "4.22.lite": 4_866_052,
    "4.25": 5_664_776,
    "4.25.lite": 5_622_700,
    "4.25.heavy": 21_663_528,
    "4.26.heavy": 5_723_156,
}


@functools.partial(jax.jit, static_argnums=0)
def run(model, variables, frames, time):
    return model.apply(variables, frames, jnp.full((1, 1), time))


@pytest.mark.parametrize("variant", PARAMETERS)
def test_a_release_has_the_parameters_of_the_original(variant):
    model = registry.create(f"practical_rife/{variant}")
    assert registry.count_parameters(registry.abstract_variables(model)) == PARAMETERS[variant]


def test_the_released_file_converts_without_training_only_arrays():
    arrays = support.portable_state_dict("practical_rife", keys=_keys("4.25"))
    arrays["caltime.0.weight"] = np.zeros((8, 25, 3, 3), np.float32)
    saved = {f"module.{key}": array for key, array in arrays.items()}
    notes: list[str] = []
    for file in (arrays, saved):
        weights.convert("practical_rife/4.25", file, notes=notes)
        assert "caltime.0" in notes.pop()
    with pytest.raises(ValueError, match=r"practical_rife/4\.22"):
        weights.convert("practical_rife/4.22", saved)


def test_keys_of_comfyui_fill_the_same_variables():
    arrays = support.portable_state_dict("practical_rife", keys=_keys("4.25"))
    theirs = {re.sub(r"^block(\d)", r"blocks.\1", key): array for key, array in arrays.items()}
    found, wanted = (weights.convert("practical_rife/4.25", file) for file in (theirs, arrays))
    jax.tree.map(np.testing.assert_array_equal, found, wanted)


def test_the_contract_follows_the_config():
    assert registry.create("practical_rife/4.6").contract.multiple == 32
    assert registry.create("practical_rife").contract.multiple == 64
    assert registry.create("practical_rife", flow_scale=0.5).contract.multiple == 128
    assert registry.create("practical_rife/4.26") == registry.create("practical_rife")
    with pytest.raises(ValueError, match="flow_scale must be one of"):
        registry.create("practical_rife", flow_scale=3)


@pytest.mark.parametrize("name", support.smallest_quick(CASES))
def test_portable_cases(name):
    case = CASES[name]
    system = f"practical_rife/{case['variant']}"
    gains = {**FIGURES["gains"], **case.get("gains", {})}
    rows = support.read_keys(_keys(case["variant"]))
    arrays = standin.state_dict({**FIGURES, "gains": gains, "state_dict": rows})
    variables = weights.convert(system, arrays)
    model = registry.create(system, flow_scale=case["flow_scale"])
    frames = support.clip(case)[None] / np.float32(255)
    found = run(model, variables, frames, case["time"])
    np.testing.assert_array_equal(found["frames"], found["blends"][-1])
    # Flows of hundreds of pixels lose digits.
    tolerance = case.get("tolerance", support.TOLERANCE)
    support.assert_samples(found["frames"][:, 0], case["outputs"]["out"], tolerance=tolerance)
    stored = [name for name in case["outputs"] if name.startswith("flow")]
    for level, flow in enumerate(found["flows"][: len(stored)]):
        both = jnp.concatenate([flow[:, 0, 0], flow[:, 0, 1]], axis=-1)
        support.assert_samples(both, case["outputs"][f"flow{level}"], tolerance=1e-4)


@pytest.mark.slow
def test_each_example_decides_separately_whether_to_repeat():
    names = ("4.0-64x64-t0.5", "4.2-64x64-t0.25")
    first, second = (support.clip(CASES[name]) for name in names)
    frames = np.stack([first, second[:, ::-1]]) / np.float32(255)

    def made(limit):
        model = registry.create("practical_rife/4.0", channels=(8, 8, 8, 8), limit=limit)
        return run(model, support.variables(model), frames, 0.5)

    never, always = made(None), made(1e-6)
    steps = jnp.abs(never["flows"][1] - never["flows"][0]).max((-3, -2, -1)).min(axis=(1, 2))
    large = int(jnp.argmax(steps))
    some = made(float(steps.mean()))["frames"]
    np.testing.assert_allclose(some[large], always["frames"][large], atol=1e-5)
    np.testing.assert_allclose(some[1 - large], never["frames"][1 - large], atol=1e-5)
    assert np.abs(always["frames"] - never["frames"]).max() > 1e-3


def _keys(variant):
    return f"practical_rife_{variant}"
