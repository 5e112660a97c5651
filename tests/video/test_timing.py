import itertools
from fractions import Fraction

import pytest

from vfi_jax.video.timing import Clock, Schedule, parse_rate

MILLISECOND = Fraction(1, 1000)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("60000/1001", Fraction(60000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        ("12.5", Fraction(25, 2)),
        (24, Fraction(24)),
        (60.0, Fraction(60)),
    ],
)
def test_rates_are_what_is_meant(text, rate):
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["0", "-1", "fast", "1/0", "nan"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="frame rate must be"):
        parse_rate(text)


def test_gaps_of_any_length_are_divided_evenly():
    between = Schedule(multi=3).between(Fraction(1, 10), Fraction(4, 10), Fraction(0))
    assert between == [Fraction(1, 10), Fraction(2, 10), Fraction(3, 10)]


def test_a_rate_is_counted_from_the_first_frame_and_never_drifts():
    """A day of 23.976 frames/s resampled to 60000/1001, gap by gap: the last time is exact."""
    source, rate, day = Fraction(24000, 1001), Fraction(60000, 1001), 86400 * 24
    schedule, origin = Schedule(rate=rate), Fraction(5)
    start = origin + day / source
    first = schedule.between(start, start + 1 / source, origin)[0]
    assert (first - origin) * rate == day * Fraction(5, 2)


def test_every_output_time_belongs_to_one_gap():
    schedule, times = Schedule(rate=Fraction(50)), [Fraction(index, 24) for index in range(25)]
    shown = [
        time
        for start, stop in itertools.pairwise(times)
        for time in schedule.between(start, stop, Fraction(0))
    ]
    shown += schedule.at_end(times[-1], Fraction(0))
    assert shown == [Fraction(index, 50) for index in range(51)]


@pytest.mark.parametrize("multi", [1, 2])
def test_a_shutter_is_open_around_every_output_frame(multi):
    schedule = Schedule(multi=multi, open=Fraction(1, 2), divisions=4)
    samples = schedule.samples(Fraction(0), Fraction(8 * multi), Fraction(0))
    first, last = samples[:3], samples[-2:]
    assert first == [(0, 0, 1.0), (1, 0, 1.0), (2, 0, 0.5)]
    end = 8 * multi
    assert last == [(end - 2, end, 0.5), (end - 1, end, 1.0)]
    assert len(samples) == 5 * multi
    assert schedule.finest(Fraction(24)) == Fraction(1, 8 * multi)


def test_every_sample_belongs_to_one_gap():
    schedule = Schedule(rate=Fraction(24), open=Fraction(1), divisions=6)
    gaps = itertools.pairwise([Fraction(index, 60) for index in range(61)])
    samples = [sample for gap in gaps for sample in schedule.samples(*gap, Fraction(0))]
    assert samples == sorted(samples, key=lambda sample: (sample.time, sample.shown))
    for index in range(1, 24):
        own = [sample for sample in samples if sample.shown == Fraction(index, 24)]
        assert sum(sample.weight for sample in own) == 6
        assert sum(Fraction(sample.weight) * (sample.time - sample.shown) for sample in own) == 0
        assert own[-1].time - own[0].time == Fraction(1, 24)


@pytest.mark.parametrize("schedule", [Schedule(multi=3), Schedule(rate=Fraction(60000, 1001))])
@pytest.mark.parametrize("tick", [MILLISECOND, Fraction(1, 90000), Fraction(1, 25)])
def test_output_times_are_whole_units(schedule, tick):
    rate = Fraction(24000, 1001)
    unit = schedule.time_base(tick, rate)
    moments = [7 * tick, 7 * tick + 1 / rate, 7 * tick + 5 * tick]
    for start, stop in itertools.pairwise(moments):
        for time in schedule.between(start, stop, moments[0]):
            assert (time / unit).denominator == 1


def test_rounded_stamps_of_a_constant_rate_become_exact():
    rate = Fraction(24000, 1001)
    clock = Clock(rate)
    times = [clock.time(round(1000 * index / rate), MILLISECOND) for index in range(1000)]
    assert times == [index / rate for index in range(1000)]
    assert clock.duration(41, MILLISECOND) == 1 / rate


def test_stamps_of_a_variable_rate_are_kept():
    clock, stamps = Clock(Fraction(60)), [0, 3000, 9100, 12000]
    times = [clock.time(stamp, Fraction(1, 90000)) for stamp in stamps]
    assert times == [Fraction(0), Fraction(1, 30), Fraction(9100, 90000), Fraction(2, 15)]


def test_time_ascends_whatever_the_stamps_say():
    clock = Clock(Fraction(10))
    stamps = [None, 100, 100, None, 50, 1000]
    times = [clock.time(stamp, MILLISECOND) for stamp in stamps]
    assert times == [Fraction(index, 10) for index in range(5)] + [Fraction(1)]
    assert (clock.missing, clock.disordered) == (2, 2)


def test_a_shift_moves_all_stamps():
    assert Clock(Fraction(30), shift=Fraction(5)).time(5000, MILLISECOND) == 0
