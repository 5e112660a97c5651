import functools
import weakref
from fractions import Fraction

import chex
import jax
import numpy as np
import pytest

from tests.interpolation.toys import ANY, CASES, MIDDLE, Toy, between, linear, mean
from vfi_jax import registry
from vfi_jax.contract import Contract
from vfi_jax.interpolation import Interpolator, interpolate, streaming
from vfi_jax.interpolation.compiled import Compiled


def clip(length=6, size=(5, 7), channels=3, seed=0):
    """Floats in [0, 1], multiples of 1/64 so that halving and the toys' sums are exact."""
    shape = (length, *size, channels)
    return np.random.default_rng(seed).integers(0, 65, shape).astype(np.float32) / 64


@pytest.fixture(params=CASES, scope="module")
def case(request):
    return CASES[request.param]


def answers(case, frames):
    frames = np.asarray(frames, np.float64)
    return np.stack([case.expected(frames, time) for time in case.times])


@pytest.mark.parametrize("options", [{}, {"batch": 3}, {"batch": 8, "devices": "all"}], ids=str)
def test_predictions_are_exact_for_every_contract(case, options):
    if options.get("devices"):
        options = {**options, "devices": jax.devices()}
    frames = clip()
    out = Interpolator(case.toy, {}, **options)(frames, case.times)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, answers(case, frames), atol=1e-6)


def test_integer_times_return_the_input_frames():
    frames = list(clip(3))
    out = Interpolator(ANY, {}).stream(frames, [0, 0, 1, 2])
    assert all(frame is frames[index] for frame, index in zip(out, (0, 0, 1, 2), strict=True))


def test_integers_are_clipped_and_rounded_half_to_even():
    values = np.array([[[[0, 1, 255]]], [[[1, 2, 255]]]], np.uint8)
    half = Interpolator(MIDDLE, {})(values, [0.5])
    assert half.dtype == np.uint8
    assert half.ravel().tolist() == [0, 2, 255]  # of 0.5, 1.5, 255
    onwards = Interpolator(CASES["two-to-next"].toy, {})
    assert onwards(values[:, ..., ::-1] * np.uint8(100), [2]).ravel().tolist() == [156, 255, 200]


@pytest.mark.parametrize("dtype", ["uint16", "float16", "float64"])
def test_output_has_the_type_of_the_input(dtype):
    top = 65535 if dtype == "uint16" else 1
    frames = (clip(2) * top).astype(dtype)
    out = Interpolator(MIDDLE, {})(frames, [0.5])[0]
    wanted = frames.astype(np.float64).mean(0)
    assert out.dtype == frames.dtype
    np.testing.assert_allclose(out, wanted, atol=0.5 if top > 1 else 1e-3)


def test_floats_are_not_clipped():
    frames = np.stack([np.zeros((2, 2, 3)), np.ones((2, 2, 3))])
    out = Interpolator(CASES["two-to-next"].toy, {})(frames, [2])
    np.testing.assert_array_equal(out, np.full((1, 2, 2, 3), 2.0))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (17, 13)])
def test_any_frame_size_is_supported(size):
    frames = clip(3, size)
    out = Interpolator(MIDDLE, {})(frames, [0.5, 1.5])
    np.testing.assert_array_equal(out, (frames[:-1] + frames[1:]) / 2)


@pytest.mark.parametrize("channels", [1, 2, 4, 5])
def test_further_channels_pass_through_the_model_separately(channels):
    frames = clip(2, channels=channels)
    out = Interpolator(MIDDLE, {})(frames, [0.5])
    np.testing.assert_allclose(out[0], frames.mean(0), atol=1e-7)


def test_times_may_come_in_any_order_and_form():
    frames = clip(3)
    times = [Fraction(3, 2), 0.1 + 0.2, np.float32(0.3), 2, 0.3]
    out = Interpolator(ANY, {})(frames, times)
    np.testing.assert_array_equal(out[1], out[4])
    np.testing.assert_array_equal(out[2], out[4])
    np.testing.assert_allclose(out[0], frames[1:].mean(0), atol=1e-6)
    assert Interpolator(ANY, {})(frames, []).shape == (0, *frames.shape[1:])


@pytest.mark.parametrize(
    ("name", "time", "words"),
    [
        (
            "midpoint-only",
            0.3,
            r"time 0.3 cannot be reached from \(0.5,\); halving gives 0.25, 0.5",
        ),
        ("midpoint-only", Fraction(1, 512), "cannot be reached"),
        (
            "seven-to-centre",
            0.5,
            r"time 0.5 cannot be reached from \(3,\); available are 0, 1, 2, 3, ...",
        ),
        ("four-to-seven-at-x2", 0.25, "available are 0, 0.5, 1, 1.5, ..."),
        ("any-time", 5.5, "time 5.5 lies outside the clip, whose 6 frames are 0 .. 5"),
        ("any-time", -0.5, "outside the clip"),
        ("two-to-next", 7, "outside the clip"),
        ("two-to-next", 1.5, "cannot be reached"),
        ("any-time", float("nan"), "finite"),
    ],
)
def test_an_unreachable_time_is_an_error_that_lists_reachable_times(name, time, words):
    with pytest.raises(ValueError, match=words):
        Interpolator(CASES[name].toy, {})(clip(), [0, time])


@pytest.fixture
def calls(monkeypatch):
    """The times of every call of a model, `[B, T]`."""
    calls = []
    call = Compiled.__call__

    def record(self, frames, times):
        calls.append(times)
        return call(self, frames, times)

    monkeypatch.setattr(Compiled, "__call__", record)
    return calls


def test_a_window_is_computed_once_with_all_its_times(calls):
    Interpolator(ANY, {})(clip(3), [0.25, 0.5, 0.75, 1, 1.1, 1.9])
    np.testing.assert_allclose(calls[0], [[0.25, 0.5, 0.75]])
    np.testing.assert_allclose(calls[1], [[0.1, 0.9]])


def test_many_times_of_a_window_are_computed_in_several_calls(calls):
    frames, times = clip(3), np.arange(0, 2, 1 / 50)
    expected = [linear(frames.astype(np.float64), time) for time in times]
    np.testing.assert_allclose(Interpolator(ANY, {})(frames, times), expected, atol=1e-6)
    assert max(times.shape[1] for times in calls) <= streaming.MOST_TIMES


def test_neighbouring_windows_share_a_frame_and_the_last_slides_back(calls):
    frames = clip(6)
    four = CASES["four-to-seven-at-x2"].toy
    Interpolator(four, {})(frames, np.arange(0, 5.5, 0.5))
    assert [times.tolist() for times in calls] == [[list(four.contract.times)]] * 2


def test_each_midpoint_is_computed_once(calls):
    Interpolator(MIDDLE, {})(clip(3), np.arange(0, 2.125, 0.125))
    assert len(calls) == 14


def test_sizes_with_equal_padded_size_are_compiled_once():
    once = chex.assert_max_traces(lambda frames, times: mean(frames, times), n=1)
    interpolator = Interpolator(Toy(Contract(2, (0.5,), multiple=16), once), {})
    for size in ((3, 5), (16, 16), (9, 12)):
        for length in (2, 3):
            interpolator(clip(length, size), np.arange(length - 1) + 0.5)


def test_the_number_of_compilations_is_bounded():
    once = chex.assert_max_traces(between, n=1)
    interpolator = Interpolator(Toy(Contract(2, None), once), {})
    for count in (10, 9):
        times = np.linspace(0, 1, count + 2)[1:-1]
        np.testing.assert_allclose(
            interpolator(clip(2), times)[:, 0, 0, 0],
            np.interp(times, [0, 1], clip(2)[:, 0, 0, 0]),
            atol=1e-6,
        )


def test_a_stream_reads_lazily_and_releases_frames():
    alive = []

    def frames():
        for index in range(40):
            frame = clip(1)[0] + index
            alive.append(weakref.ref(frame))
            yield frame

    times = np.arange(0, 39.25, 0.25)
    for time, frame in zip(times, Interpolator(ANY, {}).stream(frames(), times), strict=True):
        np.testing.assert_allclose(frame, clip(1)[0] + time, atol=1e-5)
        assert len(alive) <= time + 5
        assert sum(ref() is not None for ref in alive) <= 6


@pytest.mark.parametrize("call", [Interpolator(ANY, {}), functools.partial(interpolate, ANY, {})])
@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ("in.mp4", "frames must be an array, got 'in.mp4'; vfi_jax.interpolate_video reads files"),
        ([clip(1)[0], clip(1, (4, 7))[0]], r"frames must have equal shapes, got \(5, 7, 3\) and"),
        (clip(1)[0], r"frames must be \[.*N, H, W, C\] without empty axes, got \(5, 7, 3\)"),
        (clip(2, (3, 32), 32), r"np.moveaxis\(frames, -3, -1\) moves channels to the end"),
    ],
    ids=["path", "sizes", "axes", "channels first"],
)
def test_arguments_that_are_no_clip_are_rejected(call, frames, message):
    with pytest.raises(ValueError, match=message):
        call(frames, [0])


@pytest.mark.parametrize("times", [0.5, "0.5", ["half"], np.full((2, 2), 0.5)], ids=str)
@pytest.mark.parametrize("call", [Interpolator(ANY, {}), functools.partial(interpolate, ANY, {})])
def test_times_are_a_list_of_numbers(call, times):
    with pytest.raises(ValueError, match="times must be a list of numbers, got "):
        call(clip(2), times)


@pytest.mark.parametrize(
    "model", ["tween", {}, registry.create("spynet/small")], ids=["name", "dict", "network"]
)
def test_a_model_has_a_contract(model):
    with pytest.raises(ValueError, match="model must be a system"):
        Interpolator(model, {})
    with pytest.raises(ValueError, match="model must be a system"):
        interpolate(model, {}, clip(2), [0.5])


@pytest.mark.parametrize(
    "variables",
    [{}, {"params": {}}, {"params": {"conv1": {"conv0": {"kernel": np.zeros((1, 1, 2, 2))}}}}],
    ids=["none", "missing", "shape"],
)
def test_variables_are_those_of_the_model(variables):
    model = registry.create("sepconv/small")
    with pytest.raises(ValueError, match="variables must be those of sepconv"):
        jax.eval_shape(lambda frames: interpolate(model, variables, frames, [0.5]), clip(2))


def test_a_stream_rejects_invalid_frames():
    interpolator = Interpolator(ANY, {})
    frames = list(clip(3))
    with pytest.raises(ValueError, match=r"must ascend, got 0.5 after 1"):
        list(interpolator.stream(frames, [1, 0.5]))
    with pytest.raises(ValueError, match=r"frame 1 must be \(5, 7, 3\) float32 like the first"):
        list(interpolator.stream([frames[0], frames[1][1:]], [0.5]))
    with pytest.raises(ValueError, match="uint8, uint16 or float, got int32"):
        list(interpolator.stream([frames[0].astype(np.int32)], [0]))
    with pytest.raises(ValueError, match="at least one frame"):
        list(interpolator.stream([], [0]))
    with pytest.raises(ValueError, match=r"frames must be \[N, H, W, C\]"):
        interpolator(frames[0], [0])


def test_short_clips_use_shorter_windows_or_repeat_the_edge():
    four = CASES["four-to-seven-at-x2"].toy
    frames = clip(2)
    out = Interpolator(four, {})(frames, [0, 0.5, 1])
    np.testing.assert_allclose(out[1, ::2, ::2], frames.mean(0), atol=1e-6)
    alone = Interpolator(four, {})(frames[:1], [0])
    np.testing.assert_allclose(alone[0, ::2, ::2], frames[0], atol=1e-6)
    np.testing.assert_array_equal(Interpolator(MIDDLE, {})(frames[:1], [0]), frames[:1])


@pytest.mark.parametrize(
    ("ensemble", "flips"), [("flip2", ["", "yx"]), ("flip4", ["", "x", "y", "yx"])]
)
def test_an_ensemble_is_the_mean_over_flips_before_padding(ensemble, flips):
    toy = Toy(Contract(2, (0.5,), multiple=4), falling)
    frames = clip(2, (5, 6))
    axes = [tuple({"y": -3, "x": -2}[name] for name in flip) for flip in flips]
    members = [np.flip(Interpolator(toy, {})(np.flip(frames, flip), [0.5]), flip) for flip in axes]
    out = Interpolator(toy, {}, ensemble=ensemble)(frames, [0.5])
    np.testing.assert_allclose(out, np.mean(members, axis=0), atol=1e-6)
    assert np.abs(out - members[0]).max() > 0.1


def falling(frames, times):
    """The mean, darker to the right and below: it does not commute with flips."""
    height, width = frames.shape[2:4]
    weight = np.linspace(1, 0.5, height)[:, None, None] * np.linspace(1, 0.5, width)[:, None]
    return mean(frames, times) * weight.astype(np.float32)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"tile": 0}, "tile must be at least 1, got 0"),
        ({"overlap": -1}, "overlap must be at least 0, got -1"),
        ({"ensemble": "flip3"}, "unknown ensemble 'flip3'"),
        ({"padding": "sepcon"}, "unknown padding 'sepcon'; did you mean sepconv"),
    ],
)
def test_options_are_checked(options, words):
    with pytest.raises(ValueError, match=words):
        Interpolator(ANY, {}, **options)
