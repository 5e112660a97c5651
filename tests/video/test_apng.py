"""The last frame of an animated PNG is shown for as long as it should be."""

from fractions import Fraction

import pytest

from vfi_jax.video import apng, interpolate_video

from .clips import read_delays, write_animation


def test_a_closed_loop_has_one_pace(tmp_path):
    source = write_animation(tmp_path / "in.gif", [100, 100, 100])
    interpolate_video(source, tmp_path / "out.apng", model="blend", loop=True)
    assert read_delays(tmp_path / "out.apng") == [50] * 6


def test_the_last_frame_stays_as_long_as_the_sources(tmp_path):
    source = write_animation(tmp_path / "in.gif", [100, 100, 300])
    interpolate_video(source, tmp_path / "out.apng", model="blend")
    assert read_delays(tmp_path / "out.apng") == [50, 50, 50, 50, 300]


@pytest.mark.parametrize(
    ("seconds", "shown"), [("1/30", 33.333), ("90.25", 90_000), ("100000", 65_535_000)]
)
def test_delays_fit_their_field(tmp_path, seconds, shown):
    path = write_animation(tmp_path / "some.png", [100, 100])
    apng.set_last_delay(path, Fraction(seconds))
    assert read_delays(path) == pytest.approx([100, shown], abs=1e-3)
