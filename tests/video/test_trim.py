"""A part of a video: exact frames, and what was heard, read and named in that time."""

from fractions import Fraction

import numpy as np
import pytest

from vfi_jax.video import interpolate_video, read_frames, write_frames
from vfi_jax.video.timing import parse_moment

from .clips import RATE, facts, frames, make, subtitles_of


@pytest.mark.parametrize(
    ("text", "moment"),
    [("12.5", Fraction(25, 2)), ("1:02:03.5", Fraction(7447, 2)), ("240f", 240), (3, Fraction(3))],
)
def test_moments_are_seconds_times_or_frames(text, moment):
    assert parse_moment("start", text) == moment
    assert type(parse_moment("start", text)) is type(moment)


@pytest.mark.parametrize("text", ["", "f", "1:-2", "-3", "x", "1.5f", "1/0"])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ValueError, match=r"start must be seconds \(12\.5\)"):
        parse_moment("start", text)


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        ("4f", "9f", range(4, 9)),
        (4 / 30 - 0.01, 0.3, range(4, 9)),  # between frames: from the next one on
        (None, "3f", range(3)),
        ("17f", None, range(17, 20)),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".avi"])  # an AVI counts frames: its tick is a frame
def test_exactly_the_frames_of_the_part_are_taken(tmp_path, start, end, kept, suffix):
    source = tmp_path / f"in{suffix}"
    write_frames(source, frames(20), fps=RATE)
    report = interpolate_video(source, tmp_path / "out", multi=1, start=start, end=end)
    given, shown = read_frames(source)[0], read_frames(tmp_path / "out")[0]
    np.testing.assert_array_equal(shown, given[list(kept)])
    assert report.frames_in == len(kept)
    assert abs(report.duration - len(kept) / RATE) < Fraction(1, 1000)
    assert not any("truncated" in line for line in report.warnings)


def test_sound_subtitles_and_chapters_are_those_of_the_part(tmp_path):
    chapter = {"time_base": Fraction(1, 1000), "metadata": {}}
    source = make(
        tmp_path / "in.mkv",
        frames(60),
        audio="aac",
        subtitles=[(0.1, 0.3, "before"), (0.7, 0.9, "inside"), (1.7, 1.9, "after")],
        chapters=[
            {**chapter, "id": 1, "start": 0, "end": 400},
            {**chapter, "id": 2, "start": 400, "end": 2000},
        ],
    )
    report = interpolate_video(source, tmp_path / "out.mkv", start=0.5, end=1.5)
    after = facts(tmp_path / "out.mkv")
    assert [float(time) for time in (after.times[0], report.duration)] == [0, 1]
    assert abs(after.duration - 1) < Fraction(1, 20)
    assert subtitles_of(tmp_path / "out.mkv") == [(0.2, 0.2, "inside")]
    (kept,) = after.chapters
    assert [kept[name] * kept["time_base"] for name in ("start", "end")] == [0, 1]
    interpolate_video(source, tmp_path / "again.mkv", start=0.5, end=1.5, resume=True)
    again = facts(tmp_path / "again.mkv")
    assert (again.times, again.bytes_of) == (after.times, after.bytes_of)


def test_a_part_of_a_folder_and_an_empty_part(tmp_path):
    write_frames(tmp_path / "in", frames(6))
    report = interpolate_video(tmp_path / "in", tmp_path / "out", start="2f", end="5f")
    assert report.frames_out == 5
    with pytest.raises(ValueError, match=r"no frame from start 9; the 6 frames"):
        interpolate_video(tmp_path / "in", tmp_path / "none", start="9f")
    assert not (tmp_path / "none").exists()
