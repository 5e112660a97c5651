"""Data about the mastering display and the content's light, from encoder to encoder."""

import dataclasses
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
from av.sidedata.sidedata import Type

from vfi_jax.video import hdr, interpolate_video
from vfi_jax.video.hdr import Hdr, Mastering

from .clips import facts, frames, make

DISPLAY = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
PQ = (("color_range", 1), ("colorspace", 9), ("color_primaries", 9), ("color_trc", 16))
P3 = Hdr(
    Mastering(
        red=(Fraction(17, 25), Fraction(8, 25)),
        green=(Fraction(53, 200), Fraction(69, 100)),
        blue=(Fraction(3, 20), Fraction(3, 50)),
        white=(Fraction(3127, 10000), Fraction(329, 1000)),
        luminance=(Fraction(1000), Fraction(1, 200)),
    ),
    light=(1000, 400),
)


def _hdr(path):
    with av.open(str(path)) as file:
        return Hdr.of(next(file.decode(file.streams.video[0])))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    large = [np.kron(one, np.ones((2, 2, 1), np.uint16)) for one in frames(3, dtype=np.uint16)]
    return make(
        tmp_path_factory.mktemp("hdr") / "in.mp4",
        large,
        codec="libx265",
        pixel_format="yuv420p10le",
        tags=PQ,
        options={"x265-params": f"log-level=error:master-display={DISPLAY}:max-cll=1000,400"},
    )


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp4", None), (".mkv", "libx264"), (".webm", None)]
)
def test_a_video_keeps_its_mastering_display_and_light_level(tmp_path, source, suffix, codec):
    assert _hdr(source) == P3
    target = tmp_path / f"out{suffix}"
    options = ["x265-params=aq-mode=2"] if suffix == ".mp4" else []
    report = interpolate_video(source, target, codec=codec, encoder_options=options)
    assert not report.warnings
    kept = _hdr(target)
    assert kept.light == P3.light
    # AV1 stores chromaticities in 1/65536, the least luminance in 1/16384.
    for name, values in dataclasses.asdict(P3.mastering).items():
        for value, other in zip(values, getattr(kept.mastering, name), strict=True):
            assert abs(value - other) <= (Fraction(1, 16384) if suffix == ".webm" else 0)
    assert (facts(target).tags, facts(target).pixel_format) == (facts(source).tags, "yuv420p10le")


def test_what_an_encoder_does_not_carry_is_named(tmp_path, source):
    report = interpolate_video(source, tmp_path / "out.mkv", codec="ffv1", dry_run=True)
    (line,) = report.warnings
    assert line == (
        "HDR: mastering display of 0.005 to 1000 cd/m2 and content light level of MaxCLL 1000, "
        "MaxFALL 400 cd/m2 cannot be written by ffv1; it can by libx264, libx265, libsvtav1"
    )
    assert Hdr(dynamic=("HDR10+",)).losses("libx265") == [
        "HDR10+ metadata left out: it applies only to the source's frames"
    ]


def test_a_display_that_is_described_in_part_does_not_count():
    partly = {Type.MASTERING_DISPLAY_METADATA: hdr.MASTERING.pack(*[1] * 20, 1, 0)}
    assert Hdr.of(SimpleNamespace(side_data=partly)) == Hdr()


def test_twelve_bits_stay(tmp_path):
    source = make(
        tmp_path / "in.mkv",
        frames(3, height=64, width=64, dtype=np.uint16),
        codec="ffv1",
        pixel_format="yuv420p12le",
        options={"slicecrc": "1"},
    )
    interpolate_video(source, tmp_path / "out.mp4")
    assert facts(tmp_path / "out.mp4").pixel_format == "yuv420p12le"
