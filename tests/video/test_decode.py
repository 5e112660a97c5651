"""What a decoded file says of its pictures."""

import contextlib
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from vfi_jax import images
from vfi_jax.video import interpolate_video, read_frames
from vfi_jax.video.read import open_source

from .clips import frames, make

NTSC = Fraction(30000, 1001)
LARGE = frames(1, height=64, width=96)[0]


def _has_alpha(path):
    with contextlib.closing(open_source(path)) as source:
        return source.picture.alpha


def _gif(path, opacity):
    pictures = [Image.fromarray(np.dstack([one, opacity])) for one in frames(2)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100)
    return path


def test_rates_are_exact_fractions_and_what_is_not_set_is_none(tmp_path):
    with contextlib.closing(open_source(make(tmp_path / "in.mkv", rate=NTSC))) as source:
        picture = source.picture
    # PyAV 19 has rationals of its own, whose arithmetic rounds to 32 bits.
    assert {type(one) for one in (picture.rate, picture.average, picture.tick)} == {Fraction}
    assert (picture.rate, picture.aspect) == (NTSC, None)


def test_a_gif_is_transparent_where_a_pixel_is(tmp_path):
    opacity = np.full((32, 48), 255, np.uint8)
    assert not _has_alpha(_gif(tmp_path / "opaque.gif", opacity))
    opacity[3, 5] = 0
    assert _has_alpha(_gif(tmp_path / "hole.gif", opacity))


@pytest.mark.parametrize(
    ("codec", "suffix", "pixel_format", "least"),
    [
        ("qtrle", "mov", "argb", 254),
        ("ffv1", "mkv", "rgba64le", 65534),
        ("ffv1", "mkv", "yuva444p10le", 65407),
    ],
)
def test_opacity_is_tested_at_its_own_depth(tmp_path, codec, suffix, pixel_format, least):
    kind, layout = (np.uint8, "rgba") if pixel_format == "argb" else (np.uint16, "rgba64le")
    for opacity in (np.iinfo(kind).max, least):
        pixels = np.full((16, 16, 4), opacity, kind)
        path = tmp_path / f"{opacity}.{suffix}"
        with av.open(str(path), "w") as file:
            stream = file.add_stream(codec, rate=24)
            stream.width = stream.height = 16
            stream.pix_fmt = pixel_format
            frame = av.VideoFrame.from_ndarray(pixels, layout).reformat(format=pixel_format)
            file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
        assert _has_alpha(path) == (opacity == least)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_as_its_exif_says(tmp_path, orientation):
    path, exif = tmp_path / "photo.jpg", Image.Exif()
    exif[274] = orientation
    Image.fromarray(LARGE).save(path, exif=exif, quality=100, subsampling=0)
    (shown,), _ = read_frames(path)
    wanted = images.read(path)
    assert shown.shape == wanted.shape
    assert np.abs(shown.astype(int) - wanted).max() < 8


def test_motion_jpeg_with_exif_is_read(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(LARGE).save(tmp_path / "photo.jpg", exif=exif)
    with av.open(str(tmp_path / "in.avi"), "w") as file:
        stream = file.add_mux_stream("mjpeg", rate=24, width=96, height=64)
        stream.time_base = Fraction(1, 24)
        for index in range(2):
            packet = av.Packet((tmp_path / "photo.jpg").read_bytes())
            packet.stream, packet.time_base = stream, Fraction(1, 24)
            packet.pts = packet.dts = index
            file.mux(packet)
    report = interpolate_video(tmp_path / "in.avi", tmp_path / "out.mp4")
    assert (report.width, report.height, report.frames_out) == (64, 96, 3)
