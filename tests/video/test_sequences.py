"""Folders and files of images as videos."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.images.tiffs import tiff
from vfi_jax import images
from vfi_jax.video import interpolate_video, read_frames
from vfi_jax.video.read import open_source


def flat(level, *, size=(16, 24), dtype=np.uint8, channels=3):
    return np.full((*size, channels), level, dtype)


def numbered(folder, numbers, name="f{}.png"):
    """A picture for each number, its level ten times that number."""
    folder.mkdir(exist_ok=True)
    for number in numbers:
        images.write(folder / name.format(number), flat(10 * number))
    return folder


def made(source, target, **options):
    report = interpolate_video(source, target, model="blend", scene_threshold=1, **options)
    return read_frames(target)[0][..., 0, 0, 0].tolist(), report


def test_a_gap_in_the_numbers_is_a_gap_in_time(tmp_path):
    source = numbered(tmp_path / "in", [1, 2, 3, 5, 6])
    levels, report = made(source, tmp_path / "out")
    assert levels == [10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60]
    assert report.duration == Fraction(6, 24)
    assert any(
        "missing numbers in the names: 1, the first after f3.png" in note
        for note in report.warnings
    )
    assert read_frames(source)[1] == [Fraction(n, 24) for n in (0, 1, 2, 4, 5)]


def test_a_gap_is_filled_in_slow_motion_and_at_a_rate_too(tmp_path):
    source = numbered(tmp_path / "in", [1, 2, 4])
    levels, _ = made(source, tmp_path / "slow", slow=2)
    assert levels == [10, 15, 20, 25, 30, 35, 40]
    levels, _ = made(source, tmp_path / "rate", fps=24)
    assert levels == [10, 20, 30, 40]


def test_gaps_may_be_taken_as_neighbours(tmp_path):
    source = numbered(tmp_path / "in", [1, 2, 3, 5, 6])
    levels, report = made(source, tmp_path / "out", gaps="even")
    assert levels == [10, 15, 20, 25, 30, 40, 50, 55, 60]
    assert not any("missing" in note for note in report.warnings)
    with pytest.raises(ValueError, match="gaps must be time or even, got 'none'"):
        made(source, tmp_path / "other", gaps="none")


def test_numbers_that_are_no_counters_are_mentioned(tmp_path):
    levels, report = made(numbered(tmp_path / "in", [3, 6, 10]), tmp_path / "out")
    assert levels == [30, 45, 60, 80, 100]
    assert any("evenly spaced" in note for note in report.warnings)


def test_negative_numbers_and_other_scripts_are_in_order(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    names = ("shot -2", "shot -1", "shot 0", "shot 1")
    for level, name in enumerate(names):
        images.write(folder / f"{name} m².png", flat(20 * level))
    levels, report = made(folder, tmp_path / "out", multi=1)
    assert levels == [0, 20, 40, 60]
    assert not any("missing" in note for note in report.warnings)


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_all_pages_of_stacks_are_frames(tmp_path, bits):
    dtype = np.uint8 if bits == 8 else np.uint16
    white = 2**bits - 1
    levels = [round(white * n / 5) for n in range(6)]
    pages = [np.full((16, 24), level, dtype) for level in levels]
    (tmp_path / "in").mkdir()
    for name, part in (("t0.tif", pages[:3]), ("t1.tif", pages[3:])):
        (tmp_path / "in" / name).write_bytes(tiff(part, bits))
    (tmp_path / "one.tif").write_bytes(tiff(pages, bits))
    for source in (tmp_path / "in", tmp_path / "one.tif"):
        target = tmp_path / f"out_{source.stem}"
        found, report = made(source, target, multi=1)
        top = 255 if bits == 8 else 65535
        assert found == [round(top * n / 5) for n in range(6)]
        assert report.frames_in == 6
        with Image.open(target / "frame_000003.png") as image:
            assert image.mode == ("L" if bits == 8 else "I;16")


def test_a_missing_stack_is_as_long_as_the_one_before_it(tmp_path):
    for number in (1, 2, 4):
        (tmp_path / f"t{number}.tif").write_bytes(tiff([np.zeros((8, 8), np.uint8)] * 2, 8))
    assert [24 * time for time in read_frames(tmp_path)[1]] == [0, 1, 2, 3, 6, 7]


def test_an_animated_webp_keeps_its_times(tmp_path):
    pictures = [Image.new("RGB", (24, 16), (40 * n,) * 3) for n in range(4)]
    pictures[0].save(
        tmp_path / "in.webp",
        save_all=True,
        append_images=pictures[1:],
        duration=[40, 80, 40, 40],
        lossless=True,
        loop=3,
    )
    frames, times = read_frames(tmp_path / "in.webp")
    assert frames[:, 0, 0, 0].tolist() == [0, 40, 80, 120]
    assert times == [Fraction(n, 25) for n in (0, 1, 3, 4)]
    opened = open_source(tmp_path / "in.webp")
    assert (opened.loop, opened.picture.rate) == (3, 25)
    with pytest.raises(ValueError, match="source_fps applies to images"):
        made(tmp_path / "in.webp", tmp_path / "out", source_fps=10)


@pytest.mark.parametrize("suffix", [".gif", ".apng", ".webp"])
def test_animations_in_a_folder_give_all_their_frames(tmp_path, suffix):
    folder = tmp_path / "in"
    folder.mkdir()
    pictures = [Image.new("RGB", (24, 16), (40 * n, 0, 0)) for n in range(4)]
    for number, pair in enumerate((pictures[:2], pictures[2:])):
        pair[0].save(
            folder / f"{number}{suffix}",
            "PNG" if suffix == ".apng" else None,
            save_all=True,
            append_images=pair[1:],
            lossless=True,
        )
    assert read_frames(folder)[0][:, 0, 0, 0].tolist() == [0, 40, 80, 120]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_stays_grey_between_folders_and_colour_stays_colour(tmp_path, dtype):
    scale = np.iinfo(dtype).max // 255
    for channels, mode in ((1, {"L", "I;16"}), (3, {"RGB"})):
        folder, target = tmp_path / f"in{channels}", tmp_path / f"out{channels}"
        folder.mkdir()
        for n in range(3):
            images.write(folder / f"{n}.png", flat(n * 40 * scale, dtype=dtype, channels=channels))
        levels, _ = made(folder, target)
        assert levels == [n * 20 * scale for n in range(5)]
        with Image.open(target / "frame_000001.png") as image:
            assert image.mode in mode
        assert images.read_info(target / "frame_000001.png").bits == 8 * dtype().itemsize


def test_the_colour_profile_goes_from_folder_to_folder(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    (tmp_path / "in").mkdir()
    for n in range(2):
        Image.fromarray(flat(n)).save(tmp_path / f"in/{n}.jpg", icc_profile=profile)
    _, report = made(tmp_path / "in", tmp_path / "out")
    for path in images.list_images(tmp_path / "out"):
        with Image.open(path) as image:
            assert image.info["icc_profile"] == profile
    assert not any("profile" in note for note in report.warnings)
    _, report = made(tmp_path / "in", tmp_path / "out.mp4")
    assert any("colour profile" in note for note in report.warnings)


def test_differing_profiles_and_those_that_do_not_fit_are_mentioned(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    grey = profile[:16] + b"GRAY" + profile[20:]
    (tmp_path / "in").mkdir()
    Image.fromarray(flat(0)).save(tmp_path / "in/0.png", icc_profile=profile)
    Image.fromarray(flat(9)).save(tmp_path / "in/1.png")
    _, report = made(tmp_path / "in", tmp_path / "out")
    assert any(
        "differ in colour profile; that of 0.png is kept" in note for note in report.warnings
    )
    Image.fromarray(flat(0)[..., 0]).save(tmp_path / "in/0.png", icc_profile=grey)
    _, report = made(tmp_path / "in", tmp_path / "out2")
    assert any("GRAY colour profile of 0.png" in note for note in report.warnings)
    with Image.open(tmp_path / "out2/frame_000000.png") as image:
        assert "icc_profile" not in image.info


def test_a_folder_without_images_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".DS_Store").write_text("x")
    with pytest.raises(ValueError, match="contains no images"):
        open_source(tmp_path)


def test_a_frame_that_is_not_finite_is_named(tmp_path):
    for n, value in enumerate((0.5, np.nan)):
        page = np.full((8, 8, 3), value, np.float32)
        (tmp_path / f"{n}.tif").write_bytes(tiff([page], 32, form=3))
    with pytest.raises(ValueError, match=r"1\.tif .* 192 of 192 values are NaN"):
        read_frames(tmp_path)
