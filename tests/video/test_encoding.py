"""What encoders are given; those in hardware cannot run here."""

import dataclasses
import itertools
import platform
from fractions import Fraction

import av
import numpy as np
import pytest

from vfi_jax.video import Timing, colour, encoding, interpolate_video, opening
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
    chosen = encoding.choose(".mkv", PICTURE, Output(codec="flv"))
    (line,) = encoding.losses(PICTURE, chosen)
    assert line == "flv uses its default bit rate, which may be low"
    for codec in ("ffv1", "libx264"):
        assert not list(
            encoding.losses(PICTURE, encoding.choose(".mkv", PICTURE, Output(codec=codec)))
        )
    with pytest.raises(ValueError, match=r"crf is not supported by mpeg4; it is by libx264.*nvenc"):
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


@pytest.mark.parametrize(
    ("suffix", "audio", "codec", "sound"),
    [
        (".avi", "flac", "mpeg4", "mp3"),
        (".avi", "pcm_s16le", "mpeg4", "pcm_s16le"),
        (".ts", "flac", "h264", "aac"),
        (".mxf", "flac", "mpeg2video", "pcm_s16le"),
    ],
)
def test_containers_of_editors_and_broadcasts(tmp_path, suffix, audio, codec, sound):
    """Uneven times too, which AVI and MXF do not have: the rate is constant there."""
    times = [Fraction(index, 25) for index in (0, 1, 2, 4, 5)]
    source = make(
        tmp_path / "in.mkv",
        frames(5),
        rate=Fraction(25),
        times=times,
        audio=audio,
        sample_rate=48000,
        subtitles=[(0, 0.1, "text")],
    )
    report = interpolate_video(source, tmp_path / f"out{suffix}")
    found = facts(tmp_path / f"out{suffix}")
    assert (found.codec, [kind for _, kind, _ in found.tracks]) == (codec, [sound])
    assert any("subtitle #2 (srt) left out" in line for line in report.warnings)
    even = suffix != ".ts"
    assert found.rate == 50 or not even
    assert len(found.times) == report.frames_out == (11 if even else 9)
    gaps = {after - before for before, after in itertools.pairwise(found.times)}
    assert gaps == ({Fraction(1, 50)} if even else {Fraction(1, 50), Fraction(1, 25)})


def test_a_profile_chooses_the_chroma_and_chroma_the_profile():
    half = dataclasses.replace(PICTURE, chroma="422", bits=10)
    clear = dataclasses.replace(PICTURE, alpha=True)
    for picture, given, profile, pixel_format in (
        (PICTURE, (), "hq", "yuv422p10le"),
        (half, ("profile=lt",), "lt", "yuv422p10le"),
        (half, ("profile=4444xq",), "4444xq", "yuv444p10le"),
        (clear, (), "4444", "yuva444p10le"),
    ):
        output = Output(codec="prores_ks", encoder_options=given)
        chosen = encoding.choose(".mov", picture, output)
        assert (chosen.options["profile"], chosen.pixel_format) == (profile, pixel_format)
    with pytest.raises(ValueError, match=r"profile of prores_ks must be one of hq, .*got 'best'"):
        encoding.choose(".mov", half, Output(codec="prores_ks", encoder_options=["profile=best"]))
    wide = dataclasses.replace(PICTURE, width=256, height=120)
    assert encoding.choose(".mxf", wide).options["profile"] == "dnxhr_hq"


@pytest.mark.parametrize(
    ("name", "codec", "fps", "message"),
    [
        ("out.mxf", None, 20, r"mxf does not support 20 frames/s; .* --fps 24000/1001"),
        (
            "out.mxf",
            "mpeg2video",
            "59.9",
            r"mpeg2video does not support 59\.9 .* --fps 60000/1001",
        ),
    ],
)
def test_a_rate_that_the_target_cannot_have_names_the_nearest(tmp_path, name, codec, fps, message):
    source = make(tmp_path / "in.mp4")
    timing, output = Timing(fps=fps), Output(codec=codec)
    with pytest.raises(ValueError, match=message):
        opening.check(source, tmp_path / name, timing, output)
    with pytest.raises(ValueError, match=message):
        interpolate_video(source, tmp_path / name, fps=fps, codec=codec)


def test_a_pixel_format_is_taken_or_refused():
    deep = dataclasses.replace(PICTURE, chroma="444", bits=10)
    chosen = encoding.choose(".mp4", deep, Output(codec="libx264", pixel_format="yuv420p"))
    assert chosen.pixel_format == "yuv420p"
    with pytest.raises(
        ValueError, match=r"pixel_format of libx264 must be one of yuv420p, .*'rgb'"
    ):
        encoding.choose(".mp4", PICTURE, Output(codec="libx264", pixel_format="rgb"))


def test_hardware_that_is_not_there_is_named(tmp_path):
    source = make(tmp_path / "in.mp4")
    with pytest.raises(ValueError, match="h264_nvenc needs hardware or a driver that this machine"):
        interpolate_video(source, tmp_path / "out.mp4", codec="h264_nvenc")


def test_a_lossless_source_and_a_lossy_target_are_remarked(tmp_path):
    lossless = {"codec": "ffv1", "options": {"slicecrc": "1"}}
    source = make(tmp_path / "in.mkv", audio="pcm_s16le", layout="mono", **lossless)
    report = interpolate_video(source, tmp_path / "out.mp4", dry_run=True)
    assert report.warnings == (
        "audio #1: PCM, which some players do not support in .mp4, but in .mov and .mkv",
        "the source is lossless and libx264 is lossy; --codec ffv1 with a .mkv target is lossless",
    )
    for options in ({"codec": "ffv1"}, {"codec": "libx264", "crf": 0}):
        assert not interpolate_video(source, tmp_path / "a.mkv", dry_run=True, **options).warnings


def test_mpeg4_takes_a_unit_of_time_that_its_header_holds(tmp_path):
    source = make(tmp_path / "in.mp4")
    interpolate_video(source, tmp_path / "out.mov", codec="mpeg4")
    assert facts(tmp_path / "out.mov").times == [Fraction(index, 60) for index in range(11)]
