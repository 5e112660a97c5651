import dataclasses
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from vfi_jax.video.colour import UNKNOWN
from vfi_jax.video.shots import Shots
from vfi_jax.video.source import Frame
from vfi_jax.video.timing import Schedule


class Marks:
    """A stand-in driver: the answer to time t is a picture of the number t, whatever is given.

    It reads the frames up to the one after t, as a model of two frames would.
    """

    def stream(self, frames, times):
        frames, read, last = iter(frames), [], 0
        for time in times:
            assert time >= last, "times must ascend"
            last = time
            while len(read) <= math.ceil(time) and (frame := next(frames, None)) is not None:
                read.append(frame)
            low, part = int(time), float(time % 1)
            high = min(low + 1, len(read) - 1)
            yield ((1 - part) * read[low] + part * read[high]).astype(np.uint8)

    def check(self, times):
        """Any time is reached."""


class Halves(Marks):
    """Reaches what halving does."""

    def check(self, times):
        if any(256 % time.denominator for time in times):
            raise ValueError


def _frame(value, time, duration=Fraction(1, 10)):
    return Frame(np.full((4, 4, 3), value, np.uint8), Fraction(time), duration)


def _run(frames, schedule=None, threshold=1.0, driver=Marks):
    shots = Shots(frames, driver(), schedule or Schedule(), threshold=threshold, transfer=UNKNOWN)
    return shots, [(int(out.pixels[0, 0, 0]), out.time, out.duration) for out in shots]


def test_n_frames_become_2n_minus_1_and_the_last_holds():
    tenth = Fraction(1, 10)
    shots, out = _run([_frame(100 * index, index * tenth) for index in range(3)])
    assert [value for value, _, _ in out] == [0, 50, 100, 150, 200]
    assert [time for _, time, _ in out] == [index * tenth / 2 for index in range(5)]
    assert [duration for *_, duration in out] == [tenth / 2] * 4 + [tenth]
    assert (shots.frames_in, shots.span) == (3, 3 * tenth)


def test_new_frames_lie_half_way_in_unequal_gaps():
    times = [Fraction(0), Fraction(1), Fraction(4)]
    _, out = _run([_frame(0, time) for time in times])
    assert [time for _, time, _ in out] == [0, Fraction(1, 2), 1, Fraction(5, 2), 4]


def test_a_rate_takes_frames_where_they_fall():
    frames = [_frame(10 * index, Fraction(index, 10)) for index in range(6)]
    _, out = _run(frames, Schedule(rate=Fraction(4)))
    assert [(value, time) for value, time, _ in out] == [(0, 0), (25, Fraction(1, 4)), (50, 0.5)]
    assert sum(duration for *_, duration in out) == Fraction(6, 10)


def test_between_repeats_the_frame_is_repeated():
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[0, 0] = 9
    frames = [_frame(0, 0), dataclasses.replace(_frame(0, Fraction(1, 10)), pixels=pixels)]
    frames[0] = dataclasses.replace(frames[0], pixels=np.zeros_like(pixels))
    _, out = _run([*frames, dataclasses.replace(frames[0], time=Fraction(2, 10))])
    assert [value for value, _, _ in out] == [0, 0, 9, 9, 0]


def test_nothing_is_blended_across_a_cut(monkeypatch):
    monkeypatch.setattr(
        "vfi_jax.video.similarity.change", lambda one, other: one.mean() != other.mean()
    )
    frames = [_frame(value, index) for index, value in enumerate([0, 0, 200, 200, 90])]
    shots, out = _run(frames, Schedule(multi=3), threshold=0.5)
    assert shots.cuts == 2
    assert [value for value, _, _ in out] == [0] * 6 + [200] * 6 + [90]
    assert [time for _, time, _ in out] == [Fraction(index, 3) for index in range(13)]


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(multi=1, open=Fraction(1), divisions=4),
        Schedule(rate=Fraction(3, 4), open=Fraction(1), divisions=8),
    ],
)
def test_a_shutter_closes_at_a_cut(monkeypatch, schedule):
    monkeypatch.setattr(
        "vfi_jax.video.similarity.change", lambda one, other: other.mean() > 3 * one.mean() > 0
    )
    frames = [_frame(value, index) for index, value in enumerate([0, 20, 40, 200, 220, 240])]
    shots, out = _run(frames, schedule, threshold=0.5)
    assert shots.cuts == 1
    _, first_shot = _run(frames[:3], schedule)
    assert [shown[:2] for shown in out if shown[1] <= 2] == [shown[:2] for shown in first_shot]
    assert all(value >= 200 for value, time, _ in out if time >= 3)
    assert [time for _, time, _ in out] == [time for _, time, _ in _run(frames, schedule)[1]]


def test_what_moves_is_blurred_and_what_is_shown_when_stays():
    frames = [_frame(value, index) for index, value in enumerate([0, 200, 0])]
    _, sharp = _run(frames, Schedule(multi=1))
    _, out = _run(frames, Schedule(multi=1, open=Fraction(1, 2), divisions=4))
    assert [time for _, time, _ in out] == [time for _, time, _ in sharp]
    light = [(value / 255) ** 2.2 for value in (150, 175, 200, 175, 150)]
    mean = np.average(light, weights=[0.5, 1, 1, 1, 0.5])
    assert out[1][0] == round(255 * mean ** (1 / 2.2))
    assert out[0][0] == out[2][0]


def test_looks_ascend_where_only_some_are_moved():
    frames = [_frame(40 * time, Fraction(time, 30)) for time in (0, 1, 4, 5)]
    schedule = Schedule(rate=Fraction(30), open=Fraction(1, 8), divisions=8)
    assert _run(frames, schedule, driver=Halves)[0].moved > 0


def test_one_frame_passes_and_none_is_nothing():
    assert _run([_frame(7, 3)])[1] == [(7, 3, Fraction(1, 10))]
    assert _run([])[1] == []


def test_frames_are_read_as_they_are_needed():
    read = []

    def endless():
        for index in itertools.count():
            read.append(index)
            yield _frame(0, index)

    shots = iter(Shots(endless(), Marks(), Schedule(multi=4), threshold=1.0, transfer=UNKNOWN))
    for _ in range(400):
        next(shots)
    assert len(read) <= 103


def test_in_an_uneven_gap_the_nearest_time_is_shown():
    """At 20 frames/s a gap of 3/20 s asks for thirds, which halving does not reach."""
    frames = [_frame(0, 0), _frame(100, Fraction(1, 10)), _frame(196, Fraction(1, 4))]
    shots, out = _run(frames, Schedule(rate=Fraction(20)), driver=Halves)
    assert [value for value, _, _ in out] == [0, 50, 100, 100 + 6 * 5, 100 + 6 * 11, 196]
    assert shots.moved == 2
    assert _run(frames, Schedule(rate=Fraction(20)))[0].moved == 0


def test_a_loop_is_closed_from_the_last_frame_to_the_first():
    tenth = Fraction(1, 10)
    frames = [_frame(value, index * tenth) for index, value in enumerate((100, 120, 140))]
    shots = Shots(frames, Marks(), Schedule(), threshold=1.0, transfer=UNKNOWN, loop=True)
    out = [(int(frame.pixels[0, 0, 0]), frame.time, frame.duration) for frame in shots]
    assert [value for value, _, _ in out] == [100, 110, 120, 130, 140, 120]
    assert [time for _, time, _ in out] == [index * tenth / 2 for index in range(6)]
    assert {duration for *_, duration in out} == {tenth / 2}
    assert (shots.frames_in, shots.span) == (3, 3 * tenth)


def test_a_loop_of_one_frame_is_one_frame():
    shots = Shots([_frame(9, 0)], Marks(), Schedule(), threshold=1.0, transfer=UNKNOWN, loop=True)
    assert [frame.duration for frame in shots] == [Fraction(1, 10)]
