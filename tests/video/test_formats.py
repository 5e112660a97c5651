"""Folders of images in every format, by name or by template."""

from fractions import Fraction

import numpy as np
import pytest

from vfi_jax import images
from vfi_jax.video import interpolate_video, read_frames
from vfi_jax.video.light import LinearLight
from vfi_jax.video.shots import Shots
from vfi_jax.video.source import Frame
from vfi_jax.video.timing import Schedule

from .clips import facts, frames, make


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def _written(folder, pictures, template):
    folder.mkdir()
    for number, picture in enumerate(pictures):
        images.write(folder / (template % number), picture)
    return folder


@pytest.mark.parametrize(
    ("form", "suffix", "note"),
    [
        ("png", "png", None),
        ("jpeg", "jpg", "JPEG is lossy; png, tiff and webp are lossless"),
        ("webp", "webp", None),
        ("tiff", "tif", None),
    ],
)
def test_a_folder_has_the_format_that_is_asked_for(tmp_path, form, suffix, note):
    source = _written(tmp_path / "in", frames(3), "%d.png")
    report = interpolate_video(source, tmp_path / "out", format=form, resume=form == "tiff")
    assert _names(tmp_path / "out") == [f"frame_{n:06d}.{suffix}" for n in range(5)]
    assert report.warnings == ((note,) if note else ())
    back = read_frames(tmp_path / "out")[0][::2].astype(int)
    assert np.abs(back - read_frames(source)[0]).max() <= (20 if note else 0)
    again = interpolate_video(source, tmp_path / "out", format="png", overwrite=True)
    assert again.frames_out == 5
    assert _names(tmp_path / "out") == [f"frame_{n:06d}.png" for n in range(5)]


def test_names_are_given_by_templates(tmp_path):
    pictures = frames(3)
    source = _written(tmp_path / "in", pictures, "img_%04d.png")
    images.write(source / "other_0001.png", pictures[0][:8])
    report = interpolate_video(source / "img_%04d.png", tmp_path / "out" / "new-%03d.tif")
    assert (report.frames_in, report.codec) == (3, "tiff")
    assert _names(tmp_path / "out") == [f"new-{n:03d}.tif" for n in range(5)]
    assert (read_frames(tmp_path / "out/new-%03d.tif")[0][::2] == np.stack(pictures)).all()


@pytest.mark.parametrize(
    ("source", "target", "options", "message"),
    [
        ("in/none_%d.png", "out", {}, "no file in .*in matches none_%d.png"),
        ("no/img_%d.png", "out", {}, "the folder .*no does not exist"),
        ("in/%d.png", "in/%d.png", {"overwrite": True}, "in is the source"),
        ("in", "in/new_%d.png", {"overwrite": True}, "in is the source"),
        ("in", "out/%d.xyz", {}, r"%d\.xyz: numbered files must end in one of \.png"),
        ("in", "out/%d.png", {"format": "jpeg"}, "format is jpeg, but %d.png means png"),
        ("in", "out.mp4", {"format": "jpeg"}, r"format applies to folders of images; out\.mp4"),
        ("in", "out", {"format": "exr"}, "EXR stores linear light, which the source is not"),
    ],
)
def test_names_and_formats_that_cannot_be_are_refused(tmp_path, source, target, options, message):
    _written(tmp_path / "in", frames(2), "%d.png")
    with pytest.raises(ValueError, match=message):
        interpolate_video(tmp_path / source, tmp_path / target, **options)
    assert _names(tmp_path / "in") == ["0.png", "1.png"]


def _light(count=3, channels=3):
    """Light of a wide range that changes from frame to frame, some of it negative."""
    base = np.geomspace(1e-4, 400, 32 * 48 * channels).reshape(32, 48, channels)
    base[0, 0] = -0.01
    return [(base * (1 + index)).astype(np.float32) for index in range(count)]


@pytest.mark.parametrize("channels", [1, 3])
def test_light_goes_from_exr_to_exr(tmp_path, channels):
    pictures = _light(channels=channels)
    source = _written(tmp_path / "in", pictures, "%d.exr")
    report = interpolate_video(source, tmp_path / "out", resume=channels == 1)
    assert (report.codec, report.warnings) == ("exr", ())
    out = [images.read(path, bits=32) for path in images.list_images(tmp_path / "out")]
    assert images.read_info(tmp_path / "out/frame_000001.exr").grey == (channels == 1)
    for index, picture in enumerate(pictures):
        assert (out[2 * index] == picture).all()
    # In steps of equal visibility the mean of light lies below the mean of its numbers.
    sizes = [np.abs(one) for one in (pictures[0], out[1], pictures[1])]
    assert (sizes[0] <= sizes[1]).all()
    assert (sizes[1] <= (sizes[0] + sizes[2]) / 2 * (1 + 1e-5)).all()


def test_light_is_displayed_where_a_target_holds_none(tmp_path):
    flat = [np.full((32, 48, 3), 0.2140412, np.float32) for _ in range(2)]
    source = _written(tmp_path / "in", flat, "%d.exr")
    note = "values outside 0 to 1 are clipped; EXR and TIFF keep them"
    assert note in interpolate_video(source, tmp_path / "out", format="png").warnings
    assert (read_frames(tmp_path / "out")[0] == 32768).all()
    interpolate_video(source, tmp_path / "out.mkv", codec="ffv1")
    assert facts(tmp_path / "out.mkv").tags[3] == 13  # sRGB


def test_a_tiff_in_floating_point_stays_one(tmp_path):
    pictures = [one.astype(np.float32) / 255 for one in frames(3)]
    source = _written(tmp_path / "in", pictures, "%d.tif")
    assert interpolate_video(source, tmp_path / "out").codec == "tiff"
    out, _ = read_frames(tmp_path / "out")
    assert out.dtype == np.float32
    assert (out[::2] == np.stack(pictures)).all()
    np.testing.assert_allclose(out[1], (pictures[0] + pictures[1]) / 2, atol=1e-6)


def test_exr_among_other_images_is_refused(tmp_path):
    source = _written(tmp_path / "in", _light(1), "%d.exr")
    images.write(source / "1.png", frames(1)[0])
    with pytest.raises(
        ValueError, match="contains EXR files, which store linear light, and other images"
    ):
        read_frames(source)


class Same:
    """A driver that gives back what it is given."""

    def stream(self, frames, times):
        frames = list(frames)
        for time in times:
            yield frames[int(time)] if time.denominator == 1 else frames[int(time)] + 0

    def check(self, times):
        """Any time is reached."""


def test_the_code_of_light_has_an_inverse():
    light = _light(2, channels=3)
    answers = [*LinearLight(Same()).stream(light, [Fraction(0), Fraction(1, 2), Fraction(1)])]
    assert (answers[0] == light[0]).all()
    np.testing.assert_allclose(answers[1], light[0], rtol=2e-5, atol=1e-7)
    assert answers[2] is light[1]


def test_an_open_shutter_adds_light_of_floats_up():
    pictures = [np.full((4, 4, 3), value, np.float32) for value in (1, 3)]
    source = [Frame(one, Fraction(index), Fraction(1)) for index, one in enumerate(pictures)]
    schedule = Schedule(multi=1, open=Fraction(1), divisions=2)
    shots = Shots(source, LinearLight(Same()), schedule, threshold=1.0, transfer=8)
    # Samples at half a frame before and after weigh a half each; Same answers those with frame 0.
    assert [float(frame.pixels[0, 0, 0]) for frame in shots] == pytest.approx([1, 7 / 3], rel=1e-4)


def test_pq_goes_to_pngs_and_back(tmp_path):
    tags = (("color_range", 1), ("colorspace", 9), ("color_primaries", 9), ("color_trc", 16))
    source = make(
        tmp_path / "in.mkv",
        frames(2, dtype=np.uint16),
        codec="ffv1",
        pixel_format="yuv420p10le",
        tags=tags,
        options={"slicecrc": "1"},
    )
    interpolate_video(source, tmp_path / "out")
    assert images.read_info(tmp_path / "out/frame_000000.png").colour.codes == (9, 16)
    interpolate_video(tmp_path / "out", tmp_path / "back.mkv", codec="ffv1")
    assert facts(tmp_path / "back.mkv").tags[2:] == (9, 16)
    report = interpolate_video(source, tmp_path / "tiffs", format="tiff")
    assert "tiff cannot record that colours are PQ; png can" in report.warnings
