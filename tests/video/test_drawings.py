"""Held drawings of animation: what counts as one, and what motion makes of their time."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from vfi_jax.video import interpolate_video, read_frames
from vfi_jax.video.drawings import Drawings, _evened
from vfi_jax.video.source import Frame

from .clips import facts, make

RATE = 24
NOISE = np.random.default_rng(0).normal(0, 1, (64, 64, 64, 3))


def _drawing(place):
    """A bright square on a grey ground."""
    picture = np.full((64, 96, 3), 90, np.uint8)
    picture[20:44, place : place + 24] = (250, 200, 40)
    return picture


def _shown(pictures, rate=RATE, **options):
    """(number of the source's frame, time in its frames) of what is left."""
    source = [Frame(one, Fraction(index, rate), Fraction(1, rate)) for index, one in pictures]
    numbers = {id(frame.pixels): index for index, frame in enumerate(source)}
    drawings = Drawings(source, Fraction(rate), **options)
    out = [(numbers[id(frame.pixels)], frame.time * rate) for frame in drawings]
    assert drawings.dropped == len(source) - len(out)
    return out


def _held(holds, step=6):
    """Frames of drawings that are held for so many frames each, with coding noise."""
    numbers = itertools.chain(*([index] * count for index, count in enumerate(holds)))
    return enumerate(
        np.clip(_drawing(step * number) + NOISE[place][..., :1].mean(), 0, 255).astype(np.uint8)
        for place, number in enumerate(numbers)
    )


def test_of_a_held_drawing_its_first_frame_is_left_at_its_time():
    assert _shown(_held([2, 2, 2, 1])) == [(0, 0), (2, 2), (4, 4), (6, 6)]
    assert _shown(_held([3, 3, 1])) == [(0, 0), (3, 3), (6, 6)]
    assert _shown(_held([1, 2, 2, 3, 1, 1])) == [(n, n) for n in (0, 1, 3, 5, 8, 9)]


def test_the_last_drawing_is_held_as_it_was():
    assert _shown(_held([2, 3])) == [(0, 0), (2, 2), (3, 3), (4, 4)]


def test_a_still_scene_stands_still_up_to_one_hold_before_it_moves():
    assert _shown(_held([2, 2, 12, 1])) == [
        (0, 0),
        (2, 2),
        *((n, n) for n in range(4, 15)),
        (16, 16),
    ]


@pytest.mark.parametrize("speed", [0.1, 0.3, 1])
def test_a_pan_and_a_fade_are_left_alone(speed):
    x = np.arange(96) - speed * np.arange(20)[:, None]
    pan = [np.tile(128 + 60 * np.sin(row / 3), (64, 1))[..., None].repeat(3, -1) for row in x]
    everything = [(index, index) for index in range(20)]
    assert _shown(enumerate(frame.astype(np.uint8) for frame in pan)) == everything
    fade = [np.full((64, 96, 3), 40 + 3 * speed * index) for index in range(20)]
    assert _shown(enumerate(frame.astype(np.uint8) for frame in fade)) == everything


def test_a_small_part_that_moves_is_no_hold():
    mouth = [_drawing(0) for _ in range(6)]
    for frame in mouth[1::2]:
        frame[50:58, 50:58] = 20
    assert len(_shown(enumerate(mouth))) == 6


def test_coarse_coding_is_no_change_where_drawings_differ_far_more():
    frames = [_drawing(8 * (index // 2)) for index in range(9)]
    for frame in frames[3::2]:
        frame[50:58, 50:58] += 9
    assert _shown(enumerate(frames)) == [(n, n) for n in (0, 2, 4, 6, 8)]


def test_what_a_mask_covers_does_not_end_a_hold():
    frames = [_drawing(20 * (index // 2)) for index in range(5)]
    for index, frame in enumerate(frames):
        frame[56:, 10 * index : 10 * index + 8] = 255  # a ticker
    assert len(_shown(enumerate(frames))) == 5
    mask = np.zeros((64, 96), np.float32)
    mask[56:] = 1
    assert _shown(enumerate(frames), mask=mask) == [(0, 0), (2, 2), (4, 4)]


@pytest.mark.parametrize(
    ("holds", "even"), [([2, 1, 1, 1] * 4, Fraction(5, 4)), ([3, 2] * 8, Fraction(5, 2))]
)
def test_a_pulldown_is_evened_out(holds, even):
    """24 frames/s in 30, and in 60."""
    shown = _shown(_held([*holds, 1], step=3), rate=30 if even < 2 else 60)
    assert [time for _, time in shown[:-1]] == [index * even for index in range(len(holds))]
    assert shown[-1] == (sum(holds), sum(holds))
    assert [number for number, _ in shown] == [0, *itertools.accumulate(holds)]


@pytest.mark.parametrize("film", [24, Fraction(24000, 1001)])
def test_film_in_25_frames_a_second_is_evened_out_after_two_repeats(film):
    times = [math.ceil(index * 25 / film) for index in range(120)]
    source = [
        Frame(np.zeros((8, 8, 3), np.uint8), Fraction(time, 25), Fraction(1, 25)) for time in times
    ]
    found = [frame.time * 25 for frame in _evened(source, Fraction(1, 25))]
    assert found[:48] == times[:48]  # two repeats are needed, and 50 frames
    gaps = [after - before for before, after in itertools.pairwise(found)]
    assert all(abs(gap - 25 / film) < 0.05 for gap in gaps[60:-1])  # else 1 or 2
    assert all(0 <= late - early < 1 for late, early in zip(times, found, strict=True))


def test_uneven_holds_of_an_animator_keep_their_times():
    holds = [2, 1, 3, 2, 2, 1, 1, 3, 1]
    assert _shown(_held(holds)) == [(n, n) for n in [0, *itertools.accumulate(holds[:-1])]]


def test_every_output_frame_moves_and_length_and_sound_stay(tmp_path):
    pictures = [_drawing(4 * (index // 2)) for index in range(16)]
    source = make(tmp_path / "twos.mp4", pictures, rate=RATE, audio="aac")
    report = interpolate_video(source, tmp_path / "out.mp4", dedup=True)
    before, after = facts(source), facts(tmp_path / "out.mp4")
    assert (before.bytes_of, before.duration) == (after.bytes_of, after.duration)
    assert (report.frames_in, report.frames_out, after.rate) == (16, 31, 48)
    assert "7 of 16 frames were repeats; motion fills their time" in report.warnings
    frames, times = read_frames(tmp_path / "out.mp4")
    assert times == [Fraction(index, 48) for index in range(31)]
    moved = np.abs(np.diff(frames.astype(int), axis=0)).max(axis=(1, 2, 3))
    assert (moved[:28] > 20).all()  # up to the last drawing, which is held as it was
    assert (moved[28:] < 20).all()
