"""FILM against reference outputs of the original architecture in PyTorch."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from vfi_jax import registry, weights

CASES = {case["name"]: case for case in support.portable("film")["cases"]}


@functools.partial(jax.jit, static_argnums=0)
def run(model, variables, frames):
    return model.apply(variables, frames, jnp.full((len(frames), 1), 0.5))


@functools.cache
def variables():
    return weights.convert("film/style", support.portable_state_dict("film"))


def test_it_has_the_parameters_of_the_original_and_predicts_the_midpoint():
    model = registry.create("film")
    assert registry.count_parameters(registry.abstract_variables(model)) == 34_436_667
    assert model.contract.times == (0.5,)
    assert model.contract.multiple == 64


@pytest.mark.parametrize("name", support.smallest_quick(CASES))
def test_portable_cases(name):
    case = CASES[name]
    frames = support.clip(case)[None, ::2] / np.float32(255)
    found = run(registry.create("film"), variables(), frames)
    outputs = dict(case["outputs"])
    support.assert_samples(found["frames"][:, 0], outputs.pop("out"))
    for output, wanted in outputs.items():
        direction, level = output.split("_")
        to_frame = found["flows"][-1 - int(level)][:, 0, ["flow10", "flow01"].index(direction)]
        support.assert_samples(2 * to_frame, wanted)
    for index, direction in enumerate(("flow10", "flow01")):
        np.testing.assert_array_equal(2 * found["flows"][-1][:, 0, index], found[direction])


def test_keys_of_comfyui_fill_the_same_variables():
    model, rows = registry.create("film"), support.read_keys("film")
    theirs = {
        key.replace(".0.weight", ".conv.weight").replace(".0.bias", ".conv.bias"): shape
        for key, shape, _ in rows
    }
    assert "fuse.convs.0.0.conv.weight" in theirs
    arrays = {key: np.broadcast_to(np.float16(0), shape) for key, shape in theirs.items()}
    found = jax.tree.map(np.shape, weights.convert("film/style", arrays))
    assert found == jax.tree.map(np.shape, registry.abstract_variables(model))


def test_swapping_frames_swaps_the_flows():
    model = registry.create("film/small")
    frames = np.random.default_rng(0).uniform(size=(2, 2, 32, 48, 3)).astype(np.float32)
    known = support.variables(model, gain=0.7)
    found, swapped = (run(model, known, clip) for clip in (frames, frames[:, ::-1]))
    support.assert_close(found["flow01"], swapped["flow10"])
    assert [flow.shape[-3] for flow in found["flows"]] == [2, 4, 8, 16, 32]


def test_missing_levels_are_rejected():
    for changes in ({"fused": 8}, {"levels": 3}, {"flow_widths": ()}):
        with pytest.raises(ValueError, match="levels, got"):
            registry.create("film", **changes)
    for depth in (0, 5):
        with pytest.raises(ValueError, match=r"depth must be 1 to 4, .* got"):
            registry.create("film", depth=depth)
