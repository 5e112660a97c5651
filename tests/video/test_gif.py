"""GIFs show every frame for at least 0.02 s, and for as long as they should."""

import pytest
from PIL import Image

from vfi_jax.video import interpolate_video, write_frames

from .clips import frames, make, read_delays, write_animation


def test_a_rate_that_no_browser_shows_is_refused_before_the_work(tmp_path):
    source = make(tmp_path / "in.mp4")
    with pytest.raises(ValueError, match=r"at most 50 frames/s.*got 60; --fps 50"):
        interpolate_video(source, tmp_path / "out.gif")
    with pytest.raises(ValueError, match="got 100"):
        write_frames(tmp_path / "out.gif", frames(2), fps=100)
    assert not list(tmp_path.glob("*out*"))
    interpolate_video(source, tmp_path / "out.gif", fps=50)
    assert read_delays(tmp_path / "out.gif") == [20] * 8 + [40]


def test_frames_that_are_too_near_are_left_out_and_times_stay(tmp_path):
    source = write_animation(tmp_path / "in.gif", [100, 20, 20, 300, 20])
    report = interpolate_video(source, tmp_path / "out.gif")
    assert read_delays(tmp_path / "out.gif") == [50, 50, 20, 20, 150, 150, 20]
    assert report.warnings == ("2 frames dropped: in a GIF a frame lasts at least 0.02 s",)


def test_the_last_frame_stays_for_at_least_a_browsers_least(tmp_path):
    write_frames(tmp_path / "in", frames(1))
    interpolate_video(tmp_path / "in", tmp_path / "out.gif", multi=1, source_fps=50)
    assert read_delays(tmp_path / "out.gif") == [20]


def test_a_single_frame_has_no_rate_that_a_gif_could_not_show(tmp_path):
    Image.new("RGB", (16, 16), "teal").save(tmp_path / "in.gif")
    report = interpolate_video(tmp_path / "in.gif", tmp_path / "out.gif", loop=True)
    assert (report.frames_in, report.frames_out) == (1, 1)
