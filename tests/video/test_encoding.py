"""What encoders are given; those in hardware cannot run here."""

import platform
from fractions import Fraction

import av
import numpy as np
import pytest

from vfi_jax.video import colour, encoding, interpolate_video
from vfi_jax.video.options import Output
from vfi_jax.video.source import Picture

from .clips import facts, frames, make

PICTURE = Picture(96, 64, Fraction(30), Fraction(30), Fraction(1, 30), chroma="420")
DEEP = Picture(96, 64, Fraction(30), Fraction(30), Fraction(1, 30), bits=10, chroma="420")


def _offered(codec):
    try:
        return av.Codec(codec, "w")
    except (ValueError, av.FFmpegError):
        pytest.skip(f"no {codec} in this FFmpeg")


@pytest.mark.parametrize("codec", ["h264_nvenc", "hevc_nvenc", "av1_nvenc"])
def test_nvenc_is_asked_for_a_quality_without_a_ceiling(codec):
    _offered(codec)
    for crf, quality in ((None, "19"), (23.5, "23.5"), (0, "1")):
        options = encoding.choose(".mp4", PICTURE, Output(codec=codec, crf=crf)).options
        assert (options["rc"], options["cq"], options["b"]) == ("vbr", quality, "0")
        assert "crf" not in options


@pytest.mark.parametrize(
    ("codec", "wanted"),
    [
        ("h264_qsv", {"global_quality": "24"}),
        ("av1_qsv", {"global_quality": "24"}),
        ("hevc_amf", {"rc": "cqp", "qp_i": "24", "qp_p": "24"}),
    ],
)
def test_other_chips_take_crf_as_their_own(codec, wanted):
    _offered(codec)
    chosen = encoding.choose(".mp4", PICTURE, Output(codec=codec, crf=24))
    assert wanted.items() <= chosen.options.items()
    assert not list(encoding.losses(PICTURE, chosen))


def test_videotoolbox_takes_a_percentage_on_apples_own_chips(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert encoding._in_hardware("h264_videotoolbox")
    options = encoding._hardware("h264_videotoolbox", 19)
    assert options == {"flags": "+qscale", "global_quality": str(62 * 118)}
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert not encoding._in_hardware("h264_videotoolbox")


def test_ten_bits_go_where_a_chip_takes_them():
    _offered("hevc_qsv")
    assert encoding.choose(".mp4", PICTURE, Output(codec="hevc_qsv")).pixel_format == "nv12"
    assert encoding.choose(".mp4", DEEP, Output(codec="hevc_qsv")).pixel_format == "p010le"
    assert encoding.choose(".mp4", DEEP, Output(codec="h264_nvenc")).pixel_format == "yuv420p"


@pytest.mark.parametrize(("pixel_format", "dtype"), [("nv12", np.uint8), ("p010le", np.uint16)])
def test_interleaved_chroma_holds_the_same_colours(pixel_format, dtype):
    pixels = frames(1, dtype=dtype)[0]
    planar = {"nv12": "yuv420p", "p010le": "yuv420p10le"}[pixel_format]
    tags = colour.Tags(colour.LIMITED, colour.BT709)
    bits = 8 * pixels.itemsize
    shown = [
        colour.to_array(
            colour.Writer(48, 32, name, tags)(pixels), tags, bits=bits, alpha=False
        ).astype(float)
        for name in (pixel_format, planar)
    ]
    assert np.abs(shown[0] - shown[1]).max() <= np.iinfo(dtype).max / 255


def test_a_coding_is_the_encoder_that_writes_it():
    assert encoding.choose(".mp4", PICTURE, Output(codec="h264")).options["crf"] == "17"


def test_an_encoder_without_a_known_quality_is_remarked():
    chosen = encoding.choose(".mkv", PICTURE, Output(codec="mpeg4"))
    (line,) = encoding.losses(PICTURE, chosen)
    assert line == "mpeg4 writes at its own default bit rate, which may be low"
    for codec in ("ffv1", "libx264"):
        assert not list(
            encoding.losses(PICTURE, encoding.choose(".mkv", PICTURE, Output(codec=codec)))
        )
    with pytest.raises(
        ValueError, match=r"crf has no meaning for mpeg4; it has for libx264.*nvenc"
    ):
        encoding.choose(".mkv", PICTURE, Output(codec="mpeg4", crf=3))


@pytest.mark.parametrize(("codec", "worst"), [("libx264", 51), ("libvpx-vp9", 63)])
def test_a_crf_out_of_range_is_refused(codec, worst):
    assert encoding.choose(".mkv", PICTURE, Output(codec=codec, crf=worst))
    with pytest.raises(ValueError, match=f"crf must be 0 to {worst} for {codec}, got 99"):
        encoding.choose(".mkv", PICTURE, Output(codec=codec, crf=99))


def test_options_go_to_the_encoder_and_unknown_ones_are_refused(tmp_path):
    output = Output(preset="ultrafast", encoder_options=["tune=grain"])
    options = encoding.choose(".mp4", PICTURE, output).options
    assert (options["preset"], options["tune"], options["crf"]) == ("ultrafast", "grain", "17")
    source = make(tmp_path / "in.mp4", audio="aac")
    with pytest.raises(ValueError, match="libx264 has no option tuna"):
        interpolate_video(source, tmp_path / "out.mp4", encoder_options={"tuna": "grain"})
    with pytest.raises(ValueError, match="KEY=VALUE, got 'tune'"):
        Output(encoder_options=["tune"])


def test_audio_is_left_out_without_a_note_where_it_is_not_wanted(tmp_path):
    source = make(tmp_path / "in.mp4", audio="aac")
    assert not interpolate_video(source, tmp_path / "out.mp4", audio=False).warnings
    assert not facts(tmp_path / "out.mp4").tracks
