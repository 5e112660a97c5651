"""DAIN against reference outputs of the original network, and without its drift."""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from tests.models import flow_family
from vfi_jax import ops, registry, weights
from vfi_jax.interpolation import Interpolator, padding
from vfi_jax.layers.conv import Conv
from vfi_jax.layers.kernel_unet import Head, KernelUNet
from vfi_jax.models import dain

REACH = 10  # pixels that the rectifier sees: a 7x7 convolution, then seven 3x3 ones
MODEL = registry.create("dain")
PORTABLE = {
    (group, case["name"]): case
    for group in ("dain", "dain_slowmotion")
    for case in support.portable(group)["cases"]
}
FRAMES = {key: case for key, case in PORTABLE.items() if not key[1].startswith("caller")}
# Names of outputs here and, with the number of the time, upstream.
AT_TIME = {
    "blend": "blend",
    "flow_t0": "flow0",
    "flow_t1": "flow2",
    "warped0": "ref0",
    "warped1": "ref2",
}
SHARED = {"weight0": "depth_inv0", "kernel0": "filter0", "kernel1": "filter2"}


@pytest.fixture(scope="module")
def portable_variables():
    return weights.convert("dain", support.portable_state_dict("dain"))


@pytest.fixture(scope="module")
def full_variables():
    return weights.convert("dain", support.full_state_dict("dain"))


def test_it_has_the_parameters_of_the_original():
    assert registry.count_parameters(registry.abstract_variables(MODEL)) == 24_031_656
    small = registry.abstract_variables(registry.create("dain/small"))
    assert registry.count_parameters(small) < 350_000


@pytest.mark.parametrize(("group", "name"), support.smallest_quick(FRAMES))
def test_portable_case(portable_variables, group, name):
    case = FRAMES[group, name]
    frames = support.clip(case)[None] / np.float32(255)
    times = np.float32(case.get("times", [case.get("time")]))
    out = flow_family.run(MODEL, portable_variables, frames, times)
    stored = case["outputs"]
    for index in range(len(times)):
        wanted = stored[f"rectified_{index}"]
        support.assert_samples(
            out["frames"][:, index], wanted, tolerance=flow_family.CROSSED, within=0.99
        )
        for ours, theirs in AT_TIME.items():
            if f"{theirs}_{index}" in stored:
                array = out[ours][:, index]
                support.assert_samples(
                    array, stored[f"{theirs}_{index}"], tolerance=1e-4, within=0.98
                )
    for ours, theirs in SHARED.items():
        if theirs in stored:
            support.assert_samples(out[ours], stored[theirs])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "name", "times"),
    [
        ("dain", "case-0", [0.5]),
        ("dain", "case-1", [0.5]),
        ("dain_slowmotion", "case-0", [0.25, 0.5, 0.75]),
    ],
)
def test_full_case(full_variables, group, name, times):
    arrays = support.full_case(group, name)
    noise = flow_family.noise_of(group, f"{name}.npz")
    times = np.float32(times)
    out = flow_family.run(MODEL, full_variables, flow_family.frames_of(arrays), times)
    flow_family.assert_stored(out["flow01"] * times[0], arrays, "flow_in0_0", within=1)
    for ours, theirs in SHARED.items():
        flow_family.assert_stored(out[ours], arrays, theirs, tolerance=2e-5, within=1)
    for index, time in enumerate(times):
        flow_family.assert_stored(out["flow_t0"][:, index], arrays, f"flow0_{index}")
        flow_family.assert_stored(out["flow_t1"][:, index], arrays, f"flow2_{index}")
        clear = _clear(out, index, time)
        wanted = support.channels_last(arrays[f"rectified_{index}"])
        flow_family.assert_frame(
            out["frames"][:, index], wanted, clear, noise=noise[f"rectified_{index}"]
        )


def _clear(out, index, time, *, at_least=0.6):
    """`[B, H, W]`, where no crossing can be felt in the frame of the time of that index."""
    landing = (out["flow01"] * time, out["flow10"] * (1 - time))
    projected = (out["flow_t0"][:, index], out["flow_t1"][:, index])
    clear = flow_family.clear_of_crossings(landing, projected, reach=REACH)
    assert clear.mean() > at_least
    return clear


@pytest.mark.slow
def test_aligned_corners(full_variables):
    arrays = support.full_case("dain", "case-3-upsample-align-corners-true")
    model = registry.create("dain", align_corners=True)
    frames = flow_family.frames_of(arrays)
    out = flow_family.run(model, full_variables, frames, np.float32([0.5]))
    flow_family.assert_stored(0.5 * out["flow01"], arrays, "flow_in0", within=1)
    flow_family.assert_stored(out["kernel0"], arrays, "filter0", tolerance=2e-5, within=1)
    flow_family.assert_stored(
        out["frames"][:, 0], arrays, "rectified", tolerance=flow_family.CROSSED, within=0.99
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "name", "times"),
    [("dain", "case-2-caller", [0.5]), ("dain_slowmotion", "case-1-caller", [0.25, 0.5, 0.75])],
)
def test_the_original_caller(full_variables, group, name, times):
    """Padded to multiples of 128 by replication, the frame in the middle, as bytes."""
    arrays = support.full_case(group, name)
    frames = np.stack([support.channels_last(arrays[key])[0] for key in ("im0", "im2")])
    out = Interpolator(MODEL, full_variables, padding="dain")(frames, times)
    amounts = padding.named("dain").amounts(frames.shape[1:3])
    padded = padding.pad(frames, amounts, "edge")[None] / np.float32(255)
    inside = flow_family.run(MODEL, full_variables, padded, np.float32(times))
    for index, time in enumerate(times):
        # With flows of 65 pixels, float32 rounding matters nearly everywhere in some frames.
        clear = _clear(inside, index, time, at_least=0.1)
        clear = padding.crop(clear[0, ..., None], amounts)[..., 0]
        difference = np.abs(out[index].astype(int) - arrays[f"uint8_{index}"])
        assert difference[clear].max() <= 1
        assert np.mean(difference <= 1) >= 0.98


@pytest.mark.slow
def test_an_axis_that_is_a_multiple_of_128_still_gets_32_pixels(portable_variables):
    case = PORTABLE["dain", "caller-40x128"]
    frames = support.clip(case)
    out = Interpolator(MODEL, portable_variables, padding="dain")(frames / np.float32(255), [0.5])
    # The case lies on integer crossings, so at most 95 % of the pixels can be expected to agree.
    wanted = case["outputs"]["rectified_0"]
    support.assert_samples(out, wanted, tolerance=flow_family.CROSSED, within=0.95)


@pytest.mark.parametrize("name", ["static", "shift-even", "shift-frac", "shift-large"])
def test_known_flow_moves_the_frame_exactly(name):
    """The whole system with exact flow and depth instead of its estimators."""
    arrays = support.full_case("dain_known_flow", name)
    cases = support.full("dain_known_flow")["cases"]
    shift = next(case["u_v"] for case in cases if case["what"] == name)
    out = _with_known_flow(flow_family.frames_of(arrays), shift)
    for ours, theirs in (("frames", "out"), ("flow_t0", "flow0"), ("flow_t1", "flow2")):
        support.assert_close(out[ours][:, 0], support.channels_last(arrays[theirs]), 1e-6)


def test_static_scenes_are_returned_exactly():
    frame = np.random.default_rng(0).random((1, 1, 64, 96, 3), np.float32)
    out = _with_known_flow(np.concatenate([frame, frame], axis=1), (0, 0))
    np.testing.assert_array_equal(out["frames"], frame)


def test_even_shifts_are_exact_away_from_the_borders():
    """Content moves by (4, -6) between the frames, so by (2, -3) to the middle one."""
    scene = np.random.default_rng(0).random((80, 112, 3), np.float32)
    frame0, frame1, middle = (
        scene[8 - y : 72 - y, 8 - x : 104 - x] for x, y in ((0, 0), (4, -6), (2, -3))
    )
    out = _with_known_flow(np.stack([frame0, frame1])[None], (4, -6))
    inner = (0, 0, slice(8, -8), slice(8, -8))
    np.testing.assert_array_equal(out["frames"][inner], middle[8:-8, 8:-8])


def test_subtracting_the_static_flow_gives_zero_on_a_static_pair():
    model = registry.create("dain/small", subtract_static_flow=True)
    frame = np.random.default_rng(0).random((1, 1, 32, 32, 3), np.float32)
    frames = np.concatenate([frame, frame], axis=1)
    out = flow_family.run(model, support.variables(model), frames, TIMES[0])
    np.testing.assert_allclose(out["flow01"], 0, atol=1e-5)


@pytest.mark.slow
def test_one_call_with_several_times_equals_single_calls():
    model = registry.create("dain/small")
    variables = support.variables(model, gain=0.5)
    frames = np.random.default_rng(0).random((2, 2, 32, 64, 3), np.float32)
    times = np.float32([0.25, 0.5, 0.9])
    together = flow_family.run(model, variables, frames, times)["frames"]
    for index in range(3):
        alone = flow_family.run(model, variables, frames, times[index : index + 1])["frames"]
        np.testing.assert_allclose(together[:, index], alone[:, 0], atol=2e-5)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_times():
    model = registry.create("dain/small")
    variables = registry.abstract_variables(model)
    frames = jax.ShapeDtypeStruct((1, 2, 128, 128, 3), jnp.float32)

    @jax.jit
    def answer(variables, frames, times):
        return model.apply(variables, frames, times)["frames"]

    def memory(count):
        times = jax.ShapeDtypeStruct((1, count), jnp.float32)
        found = answer.lower(variables, frames, times).compile().memory_analysis()
        return found.temp_size_in_bytes, found.output_size_in_bytes

    (one, _), (seven, outputs) = memory(1), memory(7)
    assert seven <= one + outputs


@pytest.mark.slow
class TestStages:
    """Parts of the network: without crossings, differences are float32 rounding only."""

    def test_context(self, full_variables):
        arrays = support.full_case("dain_stages", "ctxnet")
        frame = support.channels_last(arrays["im0"]) / np.float32(255)
        net = dain.ContextNet(64, jnp.float32)
        maps = net.apply({"params": full_variables["params"]["context"]}, frame)
        context = np.concatenate([frame, *maps], axis=-1)
        flow_family.assert_stored(context, arrays, "ctx", tolerance=2e-5, within=1)

    def test_kernels(self, full_variables):
        arrays = support.full_case("dain_stages", "kernelnet")
        frames = flow_family.frames_of(arrays)
        both = np.concatenate([frames[:, 0], frames[:, 1]], axis=-1)
        params = full_variables["params"]
        trunk = KernelUNet().apply({"params": params["kernels"]}, both)
        flow_family.assert_stored(trunk, arrays, "trunk", tolerance=2e-5, within=1)
        for head, key in (("kernel0", "filter0"), ("kernel1", "filter2")):
            kernel = Head(dain.TAPS).apply({"params": params[head]}, trunk)
            flow_family.assert_stored(kernel, arrays, key, tolerance=2e-5, within=1)

    def test_rectifier(self, full_variables):
        wanted = support.full_case("dain_stages", "rectifynet")["rect"]
        maps = 0.3 * np.random.RandomState(4242).standard_normal((1, 437, 24, 40))
        params = full_variables["params"]["between"]
        first = Conv(128, 7).apply({"params": params["first"]}, support.channels_last(maps))
        rest = dain.RectifyNet(jnp.float32).apply({"params": params["rectify"]}, nn.relu(first))
        support.assert_close(rest, support.channels_last(wanted))

    def test_projecting_and_warping(self):
        arrays = support.full_case("dain_stages", "project-warp")
        arrays = {name: support.channels_last(array) for name, array in arrays.items()}
        warped = []
        for n in "02":
            flow = ops.depth_flow_projection(
                arrays[f"flow_in{n}"], arrays[f"depth_inv{n}"], fill_holes=True
            )
            support.assert_close(flow, arrays[f"flow{n}"])
            frame = arrays[f"im{n}"] / np.float32(255)
            warped.append(ops.adaptive_warp(frame, flow, arrays[f"filter{n}"]))
            support.assert_close(warped[-1], arrays[f"ref{n}"])
        support.assert_close(sum(warped) / 2, arrays["out"])


TIMES = np.float32([[0.5]])
CENTRAL = np.array([0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0], np.float32)


class Anywhere(dain.Model):
    """DAIN for any frame size, because its networks are not run."""

    @property
    def contract(self):
        return dataclasses.replace(super().contract, multiple=4)


@jax.jit
def _with_known_flow(frames, shift):
    """DAIN's outputs at half time where the flow is `shift`, depth 1, and filters are bilinear."""

    def known(call, args, kwargs, context):
        name = context.module.name
        if context.method_name != "__call__" or name is None:
            return call(*args, **kwargs)
        size = args[0].shape[:-1] if args and hasattr(args[0], "shape") else None
        if name == "flow":
            # Of both directions, at a quarter of the resolution.
            flow = jnp.broadcast_to(
                jnp.asarray(shift, jnp.float32) / 4, (1, size[1] // 4, size[2] // 4, 2)
            )
            return {"flow": jnp.concatenate([flow, -flow])}
        if name == "depth":
            return {"log_depth": jnp.zeros((*size, 1))}
        if name in ("kernel0", "kernel1"):
            return jnp.broadcast_to(CENTRAL, (*size, 16))
        if name in ("kernels", "rectify"):
            return jnp.zeros((*size, 3 if name == "rectify" else 16))
        if name == "context":
            return [jnp.zeros((*size, 1))]
        if name == "first":
            return [jnp.zeros((7, 7, n, 4)) for n in context.module.channels], jnp.zeros(4)
        return call(*args, **kwargs)

    with nn.intercept_methods(known):
        return Anywhere(dain.Config(rectify_width=4)).apply({}, frames, TIMES)
