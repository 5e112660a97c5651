"""Whole videos through `interpolate_video`, with blend as the model."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from vfi_jax.video import interpolate_video, numbered, read_frames, write_frames

from .clips import FRAMES, RATE, cover_of, facts, frames, make, subtitles_of, with_cover


def test_rate_doubles_and_everything_else_stays(tmp_path):
    source = make(
        tmp_path / "in.mp4",
        audio="aac",
        tags=[("color_range", 1), ("colorspace", 1), ("color_primaries", 1), ("color_trc", 1)],
        metadata={"title": "A title"},
        chapters=[
            {"id": 1, "start": 0, "end": 100, "time_base": Fraction(1, 1000), "metadata": {}}
        ],
    )
    report = interpolate_video(source, tmp_path / "out.mp4")
    before, after = facts(source), facts(tmp_path / "out.mp4")
    assert after.rate == 2 * before.rate == 60
    assert after.times == [Fraction(index, 60) for index in range(2 * FRAMES - 1)]
    assert abs(after.duration - before.duration) < Fraction(1, 1000)
    assert after.tracks == before.tracks
    assert after.bytes_of == before.bytes_of
    assert after.tags == before.tags == (1, 1, 1, 1)
    assert after.metadata["title"] == "A title"
    assert len(after.chapters) == 1
    assert (report.frames_in, report.frames_out) == (FRAMES, 2 * FRAMES - 1)
    assert (report.rate_in, report.rate_out, report.duration) == (30, 60, Fraction(FRAMES, 30))
    assert "30 -> 60 frames/s" in str(report)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_metadata_that_is_not_utf8_stays_byte_for_byte(tmp_path, suffix):
    title, chapter = b"Caf\xe9", b"Br\xfbl\xe9"
    part = {"id": 1, "start": 0, "end": 100, "time_base": Fraction(1, 1000)}
    source = make(
        tmp_path / f"in.{suffix}",
        metadata={"title": "Caf?"},
        chapters=[{**part, "metadata": {"title": "Br?l?"}}],
    )
    utf8 = source.read_bytes()
    source.write_bytes(utf8.replace(b"Caf?", title).replace(b"Br?l?", chapter))
    target = tmp_path / f"out.{suffix}"
    report = interpolate_video(source, target)
    assert report.frames_out == 2 * FRAMES - 1
    assert title in target.read_bytes()
    assert chapter in target.read_bytes()
    assert len(list(numbered.frames(source))) == FRAMES


def test_a_cover_stays_where_the_target_has_room_for_one(tmp_path):
    picture = tmp_path / "cover.png"
    Image.new("RGB", (8, 8), "teal").save(picture)
    source = with_cover(tmp_path / "in.mp4", make(tmp_path / "film.mp4", audio="aac"), picture)
    assert not interpolate_video(source, tmp_path / "out.mp4").warnings
    assert cover_of(tmp_path / "out.mp4") == picture.read_bytes()
    assert facts(tmp_path / "out.mp4").bytes_of == facts(source).bytes_of
    report = interpolate_video(source, tmp_path / "out.mkv")
    assert report.warnings == ("cover art (png) left out: only .mp4 targets keep it",)
    assert cover_of(tmp_path / "out.mkv") is None


def test_the_last_frame_holds_without_audio_too(tmp_path):
    source = make(tmp_path / "in.mp4")
    interpolate_video(source, tmp_path / "out.mp4", multi=4)
    assert facts(tmp_path / "out.mp4").duration == facts(source).duration


def test_unequal_gaps_are_halved(tmp_path):
    times = [Fraction(step, 100) for step in (0, 3, 10, 12, 30, 33)]
    source = make(tmp_path / "in.mp4", times=times)
    interpolate_video(source, tmp_path / "out.mp4")
    found = facts(tmp_path / "out.mp4").times
    assert found[::2] == times
    assert found[1::2] == [Fraction(step, 200) for step in (3, 13, 22, 42, 63)]


def test_any_rate_keeps_exact_times(tmp_path):
    source = make(tmp_path / "in.mkv", rate=Fraction(24000, 1001))
    interpolate_video(source, tmp_path / "out.mp4", fps="59.94")
    found = facts(tmp_path / "out.mp4")
    assert found.rate == Fraction(60000, 1001)
    assert found.times == [Fraction(index * 1001, 60000) for index in range(13)]


def test_slow_motion_keeps_the_rate_and_what_is_said_when(tmp_path):
    source = make(
        tmp_path / "in.mkv",
        audio="aac",
        subtitles=[(0.02, 0.1, "first"), (0.1, 0.18, "second")],
        chapters=[
            {"id": 1, "start": 50, "end": 150, "time_base": Fraction(1, 1000), "metadata": {}}
        ],
    )
    report = interpolate_video(source, tmp_path / "out.mkv", slow=4)
    after = facts(tmp_path / "out.mkv")
    assert after.rate == facts(source).rate == 30
    # Matroska rounds to milliseconds.
    np.testing.assert_allclose(np.float64(after.times), np.arange(4 * FRAMES - 3) / 30, atol=5e-4)
    assert [codec for _, codec, _ in after.tracks] == ["subrip"]
    assert subtitles_of(tmp_path / "out.mkv") == [
        (0.08, 0.32, "first"),
        (0.4, 0.32, "second"),
    ]
    chapter = after.chapters[0]
    times = [chapter[name] * chapter["time_base"] for name in ("start", "end")]
    assert times == [Fraction(1, 5), Fraction(3, 5)]
    assert (report.rate_in, report.rate_out, report.duration) == (30, 30, Fraction(4 * FRAMES, 30))
    assert any("audio #1 left out" in warning for warning in report.warnings)


def test_slow_motion_takes_any_rate(tmp_path):
    source = make(tmp_path / "in.mp4")
    interpolate_video(source, tmp_path / "out.mp4", slow=2, fps=24)
    assert facts(tmp_path / "out.mp4").times == [Fraction(index, 24) for index in range(9)]


def test_rotated_video_is_turned_upright(tmp_path):
    source = make(tmp_path / "in.mp4", rotation=-90)
    interpolate_video(source, tmp_path / "out.mp4")
    shown, _ = read_frames(tmp_path / "out.mp4")
    upright = np.rot90(frames(1)[0], -1).astype(float)
    assert shown.shape[1:] == (48, 32, 3)
    assert np.abs(shown[0] - upright).mean() < 6


@pytest.mark.parametrize("name", ["out.mp4", "out.webm"])
def test_odd_sizes_stay(tmp_path, name):
    source = make(tmp_path / "in.mp4", frames(3, height=33, width=47), pixel_format="yuv444p")
    interpolate_video(source, tmp_path / name)
    assert facts(tmp_path / name).size == (47, 33)


@pytest.mark.parametrize(("side", "codec"), [(32, "h264"), (64, "hevc")])
def test_ten_bits_stay_ten_bits(tmp_path, side, codec):
    pictures = frames(3, height=side, width=side, dtype=np.uint16)
    source = make(tmp_path / "in.mkv", pictures, codec="ffv1", pixel_format="yuv420p10le")
    interpolate_video(source, tmp_path / "out.mp4", crf=1)
    found = facts(tmp_path / "out.mp4")
    assert (found.codec, found.pixel_format) == (codec, "yuv420p10le")
    shown, _ = read_frames(tmp_path / "out.mp4")
    assert shown.dtype == np.uint16
    assert len(np.unique(shown >> 6)) > 256


@pytest.mark.parametrize("side", [1, 2])
def test_colours_stay_in_either_range(tmp_path, side):
    tags = [("color_range", side), ("colorspace", 1)]
    source = make(tmp_path / "in.mp4", tags=tags)
    interpolate_video(source, tmp_path / "out.mp4", crf=4)
    before, after = (read_frames(path)[0].astype(float) for path in (source, tmp_path / "out.mp4"))
    assert facts(tmp_path / "out.mp4").tags[0] == side
    assert np.abs((after[::2] - before).mean(axis=(0, 1, 2))).max() < 0.3


def test_frames_of_a_still_scene_are_all_alike(tmp_path):
    """New frames and old ones take one path, so nothing flickers."""
    write_frames(tmp_path / "in", [frames(1)[0]] * 4)
    interpolate_video(tmp_path / "in", tmp_path / "out")
    shown, _ = read_frames(tmp_path / "out")
    np.testing.assert_array_equal(shown, np.broadcast_to(frames(1)[0], shown.shape))


def test_gif_keeps_its_delays_and_its_loop(tmp_path):
    from PIL import Image

    pictures = [Image.fromarray(one) for one in frames(4)]
    pictures[0].save(
        tmp_path / "in.gif",
        save_all=True,
        append_images=pictures[1:],
        duration=[40, 80, 40, 200],
        loop=3,
    )
    interpolate_video(tmp_path / "in.gif", tmp_path / "out.gif")
    with Image.open(tmp_path / "out.gif") as made:
        assert made.info["loop"] == 3
        delays = [made.info["duration"] for index in range(made.n_frames) if not made.seek(index)]
    assert delays == [20, 20, 40, 40, 20, 20, 200]


def test_transparency_stays_where_it_can(tmp_path):
    ramp = np.broadcast_to(np.linspace(0, 255, 48).astype(np.uint8)[None, :, None], (32, 48, 1))
    pictures = [np.concatenate([one, ramp], -1) for one in frames(3)]
    write_frames(tmp_path / "in", pictures)
    interpolate_video(tmp_path / "in", tmp_path / "kept")
    report = interpolate_video(tmp_path / "in", tmp_path / "out.mp4")
    from vfi_jax import images

    kept = images.read(tmp_path / "kept/frame_000001.png", alpha=True)
    np.testing.assert_array_equal(kept[..., 3:], ramp)
    assert any("transparency is composited over black" in warning for warning in report.warnings)


def test_subtitles_and_audio_are_transcoded_where_they_must(tmp_path):
    lines = [(0.02, 0.1, "first"), (0.1, 0.18, "second")]
    source = make(tmp_path / "in.mkv", audio="aac", subtitles=lines)
    interpolate_video(source, tmp_path / "copy.mkv")
    mp4 = interpolate_video(source, tmp_path / "out.mp4")
    webm = interpolate_video(source, tmp_path / "out.webm")
    gif = interpolate_video(source, tmp_path / "out.gif", fps=50)
    assert facts(tmp_path / "copy.mkv").bytes_of == facts(source).bytes_of
    assert [codec for _, codec, _ in facts(tmp_path / "out.mp4").tracks] == ["aac", "mov_text"]
    assert [codec for _, codec, _ in facts(tmp_path / "out.webm").tracks] == ["opus", "webvtt"]
    assert sum("transcoded" in warning for warning in mp4.warnings) == 1
    assert sum("transcoded" in warning for warning in webm.warnings) == 2
    assert sum("left out" in warning for warning in gif.warnings) == 2


@pytest.mark.parametrize("count", [1, 2])
def test_the_shortest_videos(tmp_path, count):
    source = make(tmp_path / "in.mp4", frames(count))
    report = interpolate_video(source, tmp_path / "out.mp4")
    assert report.frames_out == len(facts(tmp_path / "out.mp4").times) == 2 * count - 1
    assert facts(tmp_path / "out.mp4").duration == facts(source).duration


def test_a_folder_becomes_a_video(tmp_path):
    write_frames(tmp_path / "in", frames(4))
    report = interpolate_video(tmp_path / "in", tmp_path / "out.mp4", source_fps=12)
    assert facts(tmp_path / "out.mp4").rate == 24
    assert report.frames_out == 7


def test_what_is_cut_short_is_used_as_far_as_it_goes(tmp_path):
    source = make(tmp_path / "whole.mkv", frames(40), options={"g": "5"})
    data = source.read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) // 2])
    report = interpolate_video(tmp_path / "cut.mkv", tmp_path / "out.mp4")
    assert 5 < report.frames_in < 40
    assert report.frames_out == 2 * report.frames_in - 1
    assert any("truncated" in warning for warning in report.warnings)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "does not exist"), (b"", "is empty"), (b"text" * 100, "cannot be read as a video")],
)
def test_what_is_no_video_is_one_line_and_leaves_nothing(tmp_path, content, message):
    if content is not None:
        (tmp_path / "in.mp4").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        interpolate_video(tmp_path / "in.mp4", tmp_path / "out.mp4")
    assert not list(tmp_path.glob("*out*"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"multi": 0}, "multi must be"),
        ({"multi": 1.5}, "multi must be"),
        ({"slow": 0.5}, "slow must be"),
        ({"fps": "fast"}, "frame rate must be"),
        ({"scene_threshold": 2}, "scene_threshold must be"),
        ({"codec": "h265"}, "'h265' is not an encoder"),
        ({"codec": "libvpx-vp9"}, "not for a folder"),
        ({"model": "no_such_model"}, "no_such_model"),
        ({"source_fps": 0}, "frame rate must be"),
    ],
)
def test_wrong_arguments_are_one_line_and_leave_nothing(tmp_path, options, message):
    write_frames(tmp_path / "in", frames(2))
    name = "out" if "folder" in message else "out.mp4"
    with pytest.raises(ValueError, match=message):
        interpolate_video(tmp_path / "in", tmp_path / name, **options)
    assert not list(tmp_path.glob("*out*"))


def test_a_failure_on_the_way_leaves_nothing(tmp_path, monkeypatch):
    from vfi_jax import Interpolator

    def fail(self, frames, times):
        next(iter(times))
        yield next(iter(frames))
        raise RuntimeError("out of memory")

    monkeypatch.setattr(Interpolator, "stream", fail)
    source = make(tmp_path / "in.mp4")
    with pytest.raises(RuntimeError, match="out of memory"):
        interpolate_video(source, tmp_path / "out.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_a_target_is_replaced_only_when_told_to(tmp_path):
    source = make(tmp_path / "in.mp4")
    (tmp_path / "out.mp4").write_text("mine")
    with pytest.raises(ValueError, match="exists"):
        interpolate_video(source, tmp_path / "out.mp4")
    assert (tmp_path / "out.mp4").read_text() == "mine"
    interpolate_video(source, tmp_path / "out.mp4", overwrite=True)
    assert facts(tmp_path / "out.mp4").rate == 2 * RATE


def test_progress_counts_output_frames(tmp_path):
    seen = []
    source = make(tmp_path / "in.mp4")
    interpolate_video(source, tmp_path / "out.mp4", progress=lambda *counts: seen.append(counts))
    assert seen == [(index + 1, 2 * FRAMES - 1) for index in range(2 * FRAMES - 1)]
