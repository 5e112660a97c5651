"""The last frame of an animated PNG is shown for as long as it should be."""

from fractions import Fraction

import pytest
from PIL import Image

from vfi_jax.video import apng, interpolate_video

from .clips import frames


def _apng(path, delays):
    first, *others = [Image.fromarray(one) for one in frames(len(delays))]
    first.save(path, save_all=True, append_images=others, duration=delays)
    return path


def _delays(path):
    """In milliseconds."""
    with Image.open(path) as made:
        return [made.info["duration"] for index in range(made.n_frames) if not made.seek(index)]


def test_a_closed_loop_has_one_pace(tmp_path):
    source = _apng(tmp_path / "in.gif", [100, 100, 100])
    interpolate_video(source, tmp_path / "out.apng", model="blend", loop=True)
    assert _delays(tmp_path / "out.apng") == [50] * 6


def test_the_last_frame_stays_as_long_as_the_sources(tmp_path):
    source = _apng(tmp_path / "in.gif", [100, 100, 300])
    interpolate_video(source, tmp_path / "out.apng", model="blend")
    assert _delays(tmp_path / "out.apng") == [50, 50, 50, 50, 300]


@pytest.mark.parametrize(
    ("seconds", "shown"), [("1/30", 33.333), ("90.25", 90_000), ("100000", 65_535_000)]
)
def test_delays_fit_their_field(tmp_path, seconds, shown):
    path = _apng(tmp_path / "some.png", [100, 100])
    apng.set_last_delay(path, Fraction(seconds))
    assert _delays(path) == pytest.approx([100, shown], abs=1e-3)
