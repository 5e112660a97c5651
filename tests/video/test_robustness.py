"""Real and broken files of every kind, where they are at hand."""

import contextlib
import itertools
from fractions import Fraction

import numpy as np
import pytest

from tests import support
from vfi_jax import images
from vfi_jax.video import interpolate_video, read_frames
from vfi_jax.video.read import open_source
from vfi_jax.video.source import Frame

from .clips import facts

FILES = support.SHARED / "data/robustness"
NAMES = sorted(path.name for path in FILES.glob("[0-9]*")) or ["absent"]
REFUSED = {
    "14e_folder_mixed_sizes": r"1\.png is 200x120, but 0\.png is 240x160",
    "14f_folder_empty": "contains no images",
    "16a_zero_length.mp4": "is empty",
    "16b_truncated_no_moov.mp4": "cannot be read as a video",
    "16e_text_as.mp4": "cannot be read as a video",
    "16f_audio_only.m4a": "no video stream",
    "19e_single_images_odd_modes": "all images must have one size",
}
SAID = {
    "10a": "interlaced",
    "10b": "interlaced",
    "16c": "truncated",
    "16d": "damaged",
    "24": "2 video streams",
    "26d": "no time stamps",
}
CUTS = {"17a": 3}  # two where clips meet, one inside the third
SUFFIXES = {".mov": ".mov", ".webm": ".webm", ".gif": ".gif", ".mkv": ".mkv", ".png": ".apng"}


def _file(name):
    path = FILES / name
    if not path.exists():
        pytest.skip("the robustness files are not here")
    return path


def _made(tmp_path, name, **options):
    source = _file(name)
    suffix = SUFFIXES.get(source.suffix, ".mp4") if source.is_file() else ""
    target = tmp_path / f"out{suffix}"
    return target, interpolate_video(source, target, **options)


def _times(path):
    """When each frame begins, and when the last one ends."""
    with contextlib.closing(open_source(path)) as source:
        items = [item for item in source.items(alpha=False) if isinstance(item, Frame)]
    return [*(item.time for item in items), items[-1].time + items[-1].duration]


def _apart(times, others, shift):
    pairs = zip(times, others, strict=True)
    return max((abs(one - other + shift) for one, other in pairs), default=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_made_smoother_or_refused_in_one_line(tmp_path, name):
    if name in REFUSED:
        with pytest.raises(ValueError, match=REFUSED[name]):
            _made(tmp_path, name)
        assert not list(tmp_path.iterdir())
        return
    target, report = _made(tmp_path, name)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert report.frames_out == 2 * report.frames_in - 1
    for prefix, words in SAID.items():
        assert not name.startswith(prefix) or any(words in line for line in report.warnings)
    assert report.cuts == CUTS.get(name[:3], 0)
    if target.is_dir():
        assert len(list(target.iterdir())) == report.frames_out
        return
    before, after = _times(_file(name)), _times(target)
    halves = [(one + other) / 2 for one, other in itertools.pairwise(before)]
    # Units of Matroska and GIF are coarser than the times; an APNG's last delay is nominal.
    near = {".gif": Fraction(1, 190), ".apng": Fraction(1, 25)}.get(target.suffix, Fraction(1, 900))
    shift = before[0] - after[0]
    assert _apart(after[:-1:2], before[:-1], shift) <= near
    assert _apart(after[1:-1:2], halves[:-1], shift) <= near
    assert _apart(after[-1:], before[-1:], shift) <= near


@pytest.mark.slow
@pytest.mark.parametrize("name", ["01_cfr30_h264_aac.mp4", "02_vfr_h264_aac.mp4"])
def test_audio_is_copied_byte_for_byte(tmp_path, name):
    target, _ = _made(tmp_path, name)
    assert facts(target).bytes_of == facts(_file(name)).bytes_of


@pytest.mark.slow
def test_one_picture_in_four_codings_has_one_colour(tmp_path):
    means = []
    for name in (
        "09a_bt709_limited.mp4",
        "09b_bt601_limited.mp4",
        "09c_bt709_full.mp4",
        "09d_bt601_full_yuvj420p.avi",
    ):
        source = _file(name)
        interpolate_video(source, tmp_path / f"{name}.mp4")
        assert facts(tmp_path / f"{name}.mp4").tags == facts(source).tags
        means.append(read_frames(tmp_path / f"{name}.mp4")[0].mean(axis=(0, 1, 2)))
    assert np.ptp(means, axis=0).max() < 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "rate"),
    [("22a_ntsc_29.97.mp4", Fraction(60000, 1001)), ("22b_23.976.mkv", Fraction(48000, 1001))],
)
def test_broadcast_rates_stay_exact(tmp_path, name, rate):
    interpolate_video(_file(name), tmp_path / "out.mp4")
    found = facts(tmp_path / "out.mp4")
    assert found.rate == rate
    assert all(time * rate == index for index, time in enumerate(found.times))


@pytest.mark.slow
def test_still_and_black_videos_stay_still_and_black(tmp_path):
    interpolate_video(_file("18b_static.mp4"), tmp_path / "still", model="shared_pyramid")
    still, _ = read_frames(tmp_path / "still")
    given, _ = read_frames(_file("18b_static.mp4"))  # whose coding flickers by up to 4 levels
    assert np.ptp(still.astype(int), axis=0).max() <= np.ptp(given.astype(int), axis=0).max()
    black, _ = read_frames(_made(tmp_path, "18c_black.mp4", overwrite=True)[0])
    assert black.max() <= 1


@pytest.mark.slow
def test_a_pulldown_moves_in_every_frame(tmp_path):
    source = _file("18_pulldown_24in30.mp4")
    report = interpolate_video(source, tmp_path / "out.mkv", dedup=True, multi=1)
    assert report.frames_in == report.frames_out == 80
    assert any("16 of 80 frames were repeats" in line for line in report.warnings)
    change = [
        np.abs(np.diff(read_frames(path)[0].astype(int), axis=0)).mean(axis=(1, 2, 3))
        for path in (source, tmp_path / "out.mkv")
    ]
    assert (change[0] < 0.1).sum() == 16
    assert (change[1] > 0.5).all()


@pytest.mark.slow
def test_a_caption_and_a_ticker_under_a_mask_are_the_sources(tmp_path):
    source, boxes = _file("29_overlay_text.mp4"), ["170,276,100,20", "0,16,480,20"]
    interpolate_video(source, tmp_path / "out", mask=boxes, end="12f")
    given, _ = read_frames(source, limit=12)
    out, _ = read_frames(tmp_path / "out")
    for rows, columns in ((slice(276, 296), slice(170, 270)), (slice(16, 36), slice(0, 480))):
        shown = np.repeat(given, 2, axis=0)[:23, rows, columns]
        assert (out[:, rows, columns] == shown).all()


def test_single_images_of_any_mode_look_alike():
    names = ("cmyk.jpg", "palette.png", "plain.bmp", "tiff_lzw.tiff")
    folder = _file("19e_single_images_odd_modes")
    colours = [images.read(folder / name).mean(axis=(0, 1)) for name in names]
    turned = images.read(folder / "exif_rotate6.jpg")
    assert turned.shape == (240, 160, 3)
    assert np.ptp([*colours, turned.mean(axis=(0, 1))], axis=0).max() < 1
    greys = [
        images.read(folder / "grey.jpg"),
        images.read(folder / "grey_alpha.png"),
        images.read(folder / "grey16.png"),
        images.read(folder / "grey16.png", bits=16) / 257,
    ]
    assert np.ptp([grey.mean(axis=(0, 1)) for grey in greys]) < 1
