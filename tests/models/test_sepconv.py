"""SepConv against the original network's figures."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from vfi_jax import losses, padding, registry, weights
from vfi_jax.weights import conversion

TIMES = jnp.full((1, 1), 0.5)
MODEL = registry.create("sepconv")
CASES = {case["name"]: case for case in support.portable("sepconv")["cases"]}
PADDINGS = {"improved": "sepconv", "paper": "sepconv-paper"}
EVERY_16TH = (slice(None), slice(3, None, 16), slice(5, None, 16))
STORED = {  # what full cases keep of the network's parts
    **{f"{side}{n}": EVERY_16TH for side in ("vertical", "horizontal") for n in (1, 2)},
    "combine": (..., slice(1, None, 8), slice(1, None, 8), slice(None, None, 4)),
    "conv5": (..., slice(None, None, 16)),
    "upsample5": (..., slice(None, None, 16)),
}


@pytest.fixture(scope="module")
def portable_variables():
    return weights.convert("sepconv", support.portable_state_dict("sepconv"))


@pytest.fixture(scope="module")
def full_variables():
    return weights.convert("sepconv", support.full_state_dict("sepconv"))


@jax.jit
def run(variables, frames):
    """The frame between two, and what every part of the network puts out, by its name."""
    out, state = MODEL.apply(variables, frames, TIMES, capture_intermediates=True)
    calls = {name: value for name, value in state["intermediates"].items() if name != "__call__"}
    parts = {name: value["__call__"][0] for name, value in calls.items()}
    return out["frames"][:, 0], {**parts, "combine": parts["upsample2"] + parts["conv2"]}


@jax.jit
def gradients(variables, frames, truth):
    """((loss, frame), gradients) of the L1 distance to `truth`."""

    def loss(variables, frames):
        frame_t = MODEL.apply(variables, frames, TIMES)["frames"][:, 0]
        return losses.l1(frame_t, truth), frame_t

    return jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)(variables, frames)


def norms(gradient):
    """L2 norm of every parameter's gradient, in the order of the original network's parameters."""
    rules, out = conversion.rules_of("sepconv"), []
    for key, _, _ in support.read_keys("sepconv"):
        rule = next(rule for rule in rules if rule.match(key))
        leaf = gradient["params"]
        for step in rule.match(key).expand(rule.path).split("/"):
            leaf = leaf[step]
        out.append(np.linalg.norm(leaf))
    return np.array(out)


@pytest.mark.parametrize("name", ["direct-64x64", "direct-32x96", "estimate-improved-40x72"])
def test_portable_cases(portable_variables, name):
    frames = support.clip(CASES[name]) / np.float32(255)
    caller = padding.Padding() if name.startswith("direct") else padding.named("sepconv")
    amounts = caller.amounts(frames.shape[1:3])
    frame_t, parts = run(portable_variables, padding.pad(frames, amounts, "edge")[None])
    parts["out"] = padding.crop(frame_t, amounts)[..., ::-1]  # kept as BGR
    for output, figures in CASES[name]["outputs"].items():
        support.assert_samples(parts[output], figures)


def test_portable_gradients(portable_variables):
    case = CASES["l1-gradients-32x32"]
    one, truth, two = support.clip(case) / np.float32(255)
    (loss, frame_t), (gradient, (ones, twos)) = _gradients(portable_variables, one, two, truth)
    found = {
        "loss": loss[None],
        "out": frame_t[..., ::-1],
        "grad_one": ones[..., ::-1],
        "grad_two": twos[..., ::-1],
        "grad_l2_per_parameter": norms(gradient),
    }
    for output, figures in case["outputs"].items():
        # Gradients are small numbers: relative to their largest.
        scale = 1 / figures["max_abs"] if output.startswith("grad") else 1.0
        _assert_scaled(found[output], figures, scale)
