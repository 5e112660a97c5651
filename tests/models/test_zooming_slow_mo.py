"""Zooming Slow-Mo and its parts against reference outputs of the original network."""

import functools
import itertools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from tests.golden import standin
from vfi_jax import ops, registry, weights
from vfi_jax.interpolation import Interpolator
from vfi_jax.interpolation.padding import crop, named, pad
from vfi_jax.layers.deformable import DeformableConv, MutualAlignment, PyramidAlignment
from vfi_jax.layers.recurrent import AlignedState, BidirectionalLSTM, ConvLSTMCell
from vfi_jax.weights import rules
from vfi_jax.weights.mappings import zooming_slow_mo as mapping

MODEL = registry.create("zooming_slow_mo")
CASES = {case["name"]: case for case in support.portable("zooming_slow_mo")["cases"]}
TOLERANCE = 1e-4  # the original in another memory layout differs by 1e-5
GRADIENT_TOLERANCE = 1e-4  # of the largest


@functools.cache
def variables(kind):
    arrays = {
        "portable": lambda: support.portable_state_dict("zooming_slow_mo"),
        "full": lambda: support.full_state_dict("zsm"),
    }[kind]()
    return weights.convert("zooming_slow_mo", arrays)


@functools.partial(jax.jit, static_argnums=0)
def apply(model, variables, frames):
    """All answers to windows `[B, N, H, W, 3]`, and what the network's parts put out, by name."""
    count = 2 * frames.shape[1] - 1
    times = jnp.broadcast_to(jnp.arange(count) / 2, (len(frames), count))
    out, state = model.apply(variables, frames, times, capture_intermediates=True)
    calls = state["intermediates"].items()
    return out["frames"], {
        name: call["__call__"][0] for name, call in calls if isinstance(call, dict)
    }


def run(values, frames):
    """Answers to uint8 `[N, H, W, 3]` as the original's caller gets them, and the parts."""
    amounts = named("zsm").amounts(frames.shape[-3:-1])
    out, parts = apply(MODEL, values, pad(frames / np.float32(255), amounts, "zero")[None])
    return crop(out[0], amounts, scale=4), parts


@jax.jit
def aligned_pair(params, first, second):
    """Parts of the alignment of two pyramids, by the original's names."""
    align = MutualAlignment(MODEL.config.groups)
    fused, state = align.apply({"params": params}, first, second, capture_intermediates=True)
    calls = state["intermediates"]
    finest = calls["first"]["level0_deform"]
    both = [calls[name]["__call__"][0] for name in ("first", "second")]
    return {
        "pcd_L1_offset_mask": finest["offset_mask"]["__call__"][0],
        "pcd_L1_dcn_1": finest["__call__"][0],
        "pcd_align_pair0": jnp.concatenate(both, axis=-1),
        "fusion_pair0": fused,
    }


@jax.jit
def lstm_step(params, states, x):
    """One step of the recurrence by its parts: aligned states, then the next ones."""
    aligned = [
        AlignedState(MODEL.config.groups, jnp.float32).apply({"params": params[name]}, x, state)
        for name, state in zip(("hidden", "cell"), states, strict=True)
    ]
    cell = ConvLSTMCell(x.shape[-1])
    return aligned, cell.apply({"params": params["lstm"]}, x, *aligned)


def recurrence(params, clip):
    """Aligned and next states of every step over `[T, H, W, C]`, without a scan."""
    states = (jnp.zeros_like(clip[:1]),) * 2
    steps = []
    for x in clip:
        aligned, states = lstm_step(params, states, x[None])
        steps.append((aligned, states))
    return steps


def parts_of(values, parts):
    """Our values for the reference outputs, by name, from the parts of a run."""
    params = values["params"]
    pyramid = [
        [level[n : n + 1] for level in parts["pyramid"]] for n in range(len(parts["extract"]))
    ]
    pairs = [
        aligned_pair(params["align"], first, second)
        for first, second in itertools.pairwise(pyramid)
    ]
    clip = [pyramid[0][0]]
    for pair, known in zip(pairs, pyramid[1:], strict=True):
        clip += [pair["fusion_pair0"], known[0]]
    clip = jnp.concatenate(clip)
    step = params["lstm"]["lstm"]["step"]
    forward, backward = recurrence(step, clip), recurrence(step, clip[::-1])
    hidden = [jnp.concatenate([step[1][0] for step in steps]) for steps in (forward, backward)]
    return {
        "feature_extraction": pyramid[0][0],
        "L2_fea": pyramid[0][1],
        "L3_fea": pyramid[0][2],
        **pairs[0],
        "pcd_L1_offset_mask_raw": pairs[0]["pcd_L1_offset_mask"],
        "lstm_feats": clip,
        "pcd_h_fwd_t0": forward[0][0][0],
        "pcd_c_fwd_t1": forward[1][0][1],
        **dict(zip(("h_seq_fwd", "h_seq_rev"), hidden, strict=True)),
        **dict(zip(("h_seq_forward", "h_seq_backward"), hidden, strict=True)),
        "c_last_fwd": forward[-1][1][1][0],
        "c_last_forward": forward[-1][1][1],
        "ConvBLSTM_out": parts["lstm"][0],
        "recon_trunk": parts["reconstruct"],
    }


def test_it_has_the_parameters_of_the_original():
    def count(name):
        return registry.count_parameters(registry.abstract_variables(registry.create(name)))

    assert count("zooming_slow_mo") == 11_102_771
    assert count("zooming_slow_mo/small") < 350_000


@pytest.mark.slow
def test_the_untrained_small_variant_upscales_its_input():
    model = registry.create("zooming_slow_mo/small")
    frames = jax.random.uniform(jax.random.key(0), (1, 2, 8, 8, 3))
    times = jnp.asarray([[0, 0.5, 1]])
    made = jax.jit(lambda key: model.init_with_output(key, frames, times)[0])(jax.random.key(1))
    given = jnp.stack([frames[:, 0], frames.mean(1), frames[:, 1]], axis=1)
    np.testing.assert_allclose(made["frames"], ops.imresize(given, 4), atol=1e-6)


def test_the_contract_follows_the_window():
    contract = registry.create("zooming_slow_mo", frames=3).contract
    assert contract.times == (0, 0.5, 1, 1.5, 2)
    assert contract.times_of(2) == (0, 0.5, 1)
    assert (contract.min_frames, contract.scale) == (2, 4)
    with pytest.raises(ValueError, match="frames must be at least 2"):
        registry.create("zooming_slow_mo", frames=1)


@pytest.mark.parametrize("name", support.smallest_quick(CASES))
def test_portable_cases(name):
    case = CASES[name]
    values = variables("portable")
    out, parts = run(values, support.clip(case))
    found = {"out": out, **parts_of(values, parts)}
    for output, figures in case["outputs"].items():
        support.assert_samples(found[output], figures, tolerance=TOLERANCE)


@pytest.mark.slow
def test_full_case_with_parts():
    arrays = support.full_case("zsm", "case-1")
    values = variables("full")
    out, parts = run(values, arrays["frames_u8"])
    found = {"out": out, **parts_of(values, parts)}
    for name in set(arrays) - {"frames_u8"}:
        desired = support.channels_last(arrays[name])
        thinned = found[name].shape[-1] // desired.shape[-1]
        support.assert_close(found[name][..., ::thinned], desired, TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("index", [2, 3, 4, 5, 8])
def test_full_cases(index):
    arrays = support.full_case("zsm", f"case-{index}")
    out, _ = run(variables("full"), arrays["frames_u8"])
    kept = arrays.get("out_index", np.arange(len(out)))
    support.assert_close(out[kept], support.channels_last(arrays["out"]), TOLERANCE)
    if "out_all_stride4" in arrays:
        every = support.channels_last(arrays["out_all_stride4"])
        support.assert_close(out[:, 1::4, 1::4], every, TOLERANCE)


@pytest.mark.slow
def test_full_case_with_a_batch():
    arrays = support.full_case("zsm", "case-6")
    out, _ = apply(MODEL, variables("full"), arrays["frames_u8"] / np.float32(255))
    support.assert_close(out, support.channels_last(arrays["out"]), TOLERANCE)


@pytest.mark.slow
def test_full_case_of_the_flip_test():
    arrays = support.full_case("zsm", "case-7")
    model = registry.create("zooming_slow_mo", frames=2)
    interpolate = Interpolator(model, variables("full"), padding="zsm", ensemble="flip4")
    out = interpolate(arrays["frames_u8"] / np.float32(255), [0, 0.5, 1])
    support.assert_close(out, support.channels_last(arrays["out"]), TOLERANCE)


def part(index):
    """A case for a single part: its arrays, channels last, and stand-in weights by upstream key."""
    case = support.full("ops/zsm_modules")["cases"][index - 1]
    arrays = support.full_case("ops/zsm_modules", f"case-{index}")
    arrays = {name: support.channels_last(array) for name, array in arrays.items()}
    return arrays, standin.state_dict({"seed": 0, **case})


def placed(table, arrays):
    """Parameters that a table makes of arrays by upstream key."""
    params: dict = {}
    for key, array in arrays.items():
        rule = next(rule for rule in table if rule.match(key))
        *parents, name = rule.match(key).expand(rule.path).split("/")
        tree = params
        for parent in parents:
            tree = tree.setdefault(parent, {})
        tree[name] = rule.change(array)
    return params


def assert_part(module, params, inputs, arrays, *, gradients):
    """A part's outputs for `inputs`, and its gradients to them for the stored cotangents."""

    @jax.jit
    def both(inputs, cotangent):
        out, pull = jax.vjp(lambda inputs: module.apply({"params": params}, *inputs), inputs)
        return out, pull(cotangent)[0]

    names = ("out",) if "out" in arrays else ("h_next", "c_next")
    cotangents = [arrays[name] for name in arrays if name.startswith("cotangent")]
    cotangent = tuple(cotangents) if len(names) > 1 else cotangents[0]
    out, found = both(inputs, cotangent)
    for name, array in zip(names, (out,) if len(names) == 1 else out, strict=True):
        support.assert_close(array, arrays[name], TOLERANCE)
    for name, array in zip(gradients, jax.tree.leaves(found), strict=True):
        largest = np.abs(arrays[name]).max()
        support.assert_close(array / largest, arrays[name] / largest, GRADIENT_TOLERANCE)


class BothWays(nn.Module):
    """Both directions of an alignment, not yet fused."""

    groups: int

    @nn.compact
    def __call__(self, first, second):
        align = functools.partial(PyramidAlignment, self.groups)
        both = align(name="first")(first, second), align(name="second")(second, first)
        return jnp.concatenate(both, axis=-1)


@pytest.mark.slow
def test_full_cases_of_alignment():
    arrays, weights_ = part(1)
    table = mapping.alignment("", "")
    params = placed(table, {key.replace("pcd.", "pcd_align."): w for key, w in weights_.items()})
    pyramids = [[arrays[f"fea{n}_L{level}"] for level in (1, 2, 3)] for n in (1, 2)]
    gradients = [f"grad_fea{n}_L{level}" for n in (1, 2) for level in (1, 2, 3)]
    assert_part(BothWays(4), params["align"], pyramids, arrays, gradients=gradients)

    arrays, weights_ = part(2)
    params = placed(mapping.alignment(r"easy\.", ""), weights_)
    inputs = [arrays["f1"], arrays["f2"]]
    module = AlignedState(4, jnp.float32)
    assert_part(module, params, inputs, arrays, gradients=["grad_f1", "grad_f2"])


@pytest.mark.slow
def test_full_cases_of_recurrence():
    arrays, weights_ = part(3)
    params = placed(rules.conv(r"cell\.conv", "gates"), weights_)
    inputs = [arrays[name] for name in "xhc"]
    assert_part(ConvLSTMCell(16), params, inputs, arrays, gradients=["grad_x", "grad_h", "grad_c"])
    arrays, weights_ = part(4)
    prefixed = {key.replace("bi.", "ConvBLSTM."): w for key, w in weights_.items()}
    params = placed(mapping.RULES, prefixed)["lstm"]
    assert_part(BidirectionalLSTM(4), params, [arrays["x"]], arrays, gradients=["grad_x"])


@pytest.mark.slow
@pytest.mark.parametrize("index", [1, 2])
def test_full_cases_of_a_deformable_convolution(index):
    case = support.full("ops/dcn_sep")["cases"][index - 1]
    arrays = support.full_case("ops/dcn_sep", f"case-{index}")
    weights_ = standin.state_dict({"seed": 0, **case})
    table = (*rules.conv(r"dcn\.conv_offset_mask", "offset_mask"), *rules.conv("dcn", "."))
    params = placed(table, weights_)
    params |= params.pop(".")
    x, guide, cotangent = (
        support.channels_last(arrays[name]) for name in ("input", "fea", "cotangent")
    )
    module = DeformableConv(x.shape[-1], groups=4 if index == 1 else 8)

    @jax.jit
    def both(params, x, guide):
        out, pull = jax.vjp(
            lambda params, *a: module.apply({"params": params}, *a), params, x, guide
        )
        return out, pull(cotangent)

    out, (of_params, of_x, of_guide) = both(params, x, guide)
    support.assert_close(out, support.channels_last(arrays["out"]))
    found = {"grad_input": of_x, "grad_fea": of_guide}
    for name, array in found.items():
        desired = support.channels_last(arrays[name])
        largest = np.abs(desired).max()
        support.assert_close(array / largest, desired / largest, GRADIENT_TOLERANCE)
    for key, weight in weights_.items():
        name = "grad_" + key.removeprefix("dcn.").replace(".", "_")
        rule = next(rule for rule in table if rule.match(key))
        leaf = of_params
        for step in rule.path.removeprefix("./").split("/"):
            leaf = leaf[step]
        desired = arrays[name]
        thinned = weight.shape[0] // desired.shape[0]  # of output channels
        largest = np.abs(desired).max()
        actual = np.asarray(leaf)[..., ::thinned]
        support.assert_close(actual / largest, rule.change(desired) / largest, GRADIENT_TOLERANCE)
