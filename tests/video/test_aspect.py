"""The shape of pixels is kept in every container."""

from fractions import Fraction

import av
import pytest

from vfi_jax.video import interpolate_video, matroska
from vfi_jax.video.source import Picture

from .clips import FRAMES, facts, frames, make

ASPECT = Fraction(16, 15)


@pytest.fixture
def source(tmp_path):
    """A video of 96x64 pixels of 16:15."""
    square = make(tmp_path / "square.mp4", frames(height=64, width=96))
    wide = tmp_path / "wide.mp4"
    with av.open(str(square)) as given, av.open(str(wide), "w") as file:
        stream = file.add_stream("libx264", rate=30)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = 96, 64, "yuv420p"
        context.sample_aspect_ratio = ASPECT
        for frame in given.decode(video=0):
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return wide


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("out.mp4", None),
        ("out.mkv", None),
        ("out.mkv", "ffv1"),
        ("out.webm", None),
        ("out.webm", "libsvtav1"),
        ("out.apng", None),
    ],
)
def test_a_container_says_the_shape_of_pixels(tmp_path, source, name, codec):
    interpolate_video(source, tmp_path / name, codec=codec)
    with av.open(str(tmp_path / name)) as file:
        stream = file.streams.video[0]
        shape = stream.sample_aspect_ratio
        assert Fraction(shape.numerator, shape.denominator) == ASPECT
        assert "title" not in stream.metadata
        assert sum(1 for _ in file.decode(video=0)) == 2 * FRAMES - 1


def test_a_gif_has_square_pixels(tmp_path, source):
    report = interpolate_video(source, tmp_path / "out.gif", fps=25)
    assert facts(tmp_path / "out.gif").size == (102, 64)
    assert "16:15 pixels are made square: 96x64 resized to 102x64" in report.warnings


@pytest.mark.parametrize(
    ("width", "height", "aspect", "shown"),
    [
        (720, 576, Fraction(16, 15), (768, 576)),
        (704, 576, Fraction(40, 33), (880, 594)),
        (96, 64, None, (96, 64)),
    ],
)
def test_the_display_size_has_exactly_the_shape(width, height, aspect, shown):
    picture = Picture(width, height, Fraction(1), Fraction(1), Fraction(1), aspect=aspect)
    assert picture.display_size == shown
    assert Fraction(*shown) == Fraction(width, height) * (aspect or 1)


def test_a_file_without_the_placeholder_is_not_touched(tmp_path):
    data = make(tmp_path / "in.mkv").read_bytes()
    with pytest.raises(ValueError, match="no track is named as the placeholder"):
        matroska.set_display_size(tmp_path / "in.mkv", 16, 9)
    assert (tmp_path / "in.mkv").read_bytes() == data
