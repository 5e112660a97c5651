"""Sound and subtitles that a target does not take, or that are damaged, never stop the video."""

import errno
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from vfi_jax.video import interpolate_video, tracks

from .clips import FRAMES, facts, frames, make, subtitles_of


@pytest.mark.parametrize(
    ("audio", "layout", "sample_rate", "box", "suffix", "becomes"),
    [
        ("ac3", "5.1(side)", 48000, ".mkv", ".webm", ("opus", "5.1", 48000)),
        ("eac3", "5.1(side)", 48000, ".mkv", ".webm", ("opus", "5.1", 48000)),
        ("aac", "stereo", 22050, ".mkv", ".webm", ("opus", "stereo", 48000)),
        ("libopus", "stereo", 48000, ".mkv", ".mov", ("aac", "stereo", 48000)),
        ("flac", "stereo", 44100, ".mkv", ".mov", ("aac", "stereo", 44100)),
        ("pcm_s16le", "quad", 48000, ".mkv", ".mp4", ("aac", "quad", 48000)),
        ("pcm_s24le", "stereo", 192000, ".mkv", ".mp4", ("aac", "stereo", 96000)),
        ("ac3", "5.1(side)", 48000, ".mkv", ".mp4", ("ac3", "5.1(side)", 48000)),
        ("aac", "stereo", 48000, ".ts", ".mp4", ("aac", "stereo", 48000)),
    ],
)
def test_sound_is_copied_or_becomes_the_nearest(
    tmp_path, audio, layout, sample_rate, box, suffix, becomes
):
    source = make(tmp_path / f"in{box}", audio=audio, layout=layout, sample_rate=sample_rate)
    report = interpolate_video(source, tmp_path / f"out{suffix}")
    with av.open(str(tmp_path / f"out{suffix}")) as file:
        (sound,) = file.streams.audio
        context = sound.codec_context
        assert (sound.codec.canonical_name, context.layout.name, context.sample_rate) == becomes
        samples = sum(frame.samples for frame in file.decode(sound))
    assert samples / becomes[2] >= FRAMES / 30 - 0.01
    assert len(report.warnings) == (audio.removeprefix("lib") != becomes[0])


def test_time_stamps_that_begin_anew_go_on(tmp_path):
    once = make(tmp_path / "once.ts", frames(60), audio="aac").read_bytes()
    (tmp_path / "twice.ts").write_bytes(2 * once)
    report = interpolate_video(tmp_path / "twice.ts", tmp_path / "out.mp4", multi=1)
    assert report.frames_out == 120
    (line,) = [line for line in report.warnings if line.startswith("audio")]
    assert line == "audio #1: 1 time stamps out of order were moved"
    times = _times_of_sound(tmp_path / "out.mp4")
    assert 3.9 < times[-1] < 4.2
    assert all(0.02 < float(after - before) < 0.2 for before, after in pairwise(times))


def test_sound_that_changes_its_layout_is_transcoded_to_the_end(tmp_path):
    stereo = make(tmp_path / "stereo.ts", frames(30), audio="ac3").read_bytes()
    more = make(tmp_path / "more.ts", frames(30), audio="ac3", layout="5.1(side)").read_bytes()
    (tmp_path / "in.ts").write_bytes(stereo + more)
    interpolate_video(tmp_path / "in.ts", tmp_path / "out.webm", multi=1)
    assert 1.9 < _times_of_sound(tmp_path / "out.webm")[-1] < 2.2


def test_a_track_that_fails_ends_alone(tmp_path, monkeypatch):
    def fail(self, packet):
        raise av.InvalidDataError(1, "Invalid data")

    monkeypatch.setattr(tracks._Copy, "packets", fail)
    source = make(tmp_path / "in.mp4", audio="aac")
    report = interpolate_video(source, tmp_path / "out.mp4")
    assert report.warnings == ("audio #1 ends at 0.00 s: Invalid data after it",)
    assert len(facts(tmp_path / "out.mp4").times) == report.frames_out == 2 * FRAMES - 1


def test_a_full_disk_is_no_fault_of_a_track(tmp_path, monkeypatch):
    def fail(self, packet):
        raise av.error.OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tracks._Copy, "packets", fail)
    source = make(tmp_path / "in.mp4", audio="aac")
    with pytest.raises(OSError, match="No space left on device while audio #1 was written"):
        interpolate_video(source, tmp_path / "out.mp4")


def test_a_subtitle_that_cannot_be_decoded_is_counted(tmp_path):
    source = tmp_path / "in.mp4"
    with av.open(str(make(tmp_path / "film.mp4"))) as film, av.open(str(source), "w") as file:
        video = file.add_stream_from_template(film.streams.video[0])
        text = file.add_mux_stream("mov_text")
        text.time_base = Fraction(1, 1000)
        for start, content in enumerate((b"\0\2hi", b"\0", b"\0\3you")):
            packet = av.Packet(content)
            packet.stream, packet.time_base = text, Fraction(1, 1000)
            packet.pts = packet.dts = 50 * start
            packet.duration = 50
            file.mux(packet)
        for packet in film.demux():
            if packet.size:
                packet.stream = video
                file.mux(packet)
    report = interpolate_video(source, tmp_path / "out.mkv")
    assert "subtitle #1: 1 damaged packets left out" in report.warnings
    assert [line for _, _, line in subtitles_of(tmp_path / "out.mkv")] == ["hi", "you"]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_that_ffmpeg_does_not_know_is_left_out(tmp_path, suffix):
    source = make(tmp_path / "in.mkv", audio="ac3")
    source.write_bytes(source.read_bytes().replace(b"A_AC3", b"A_XYZ"))
    report = interpolate_video(source, tmp_path / f"out{suffix}")
    assert report.warnings == ("audio #1 left out: unknown codec",)


def _times_of_sound(path):
    with av.open(str(path)) as file:
        packets = [packet for packet in file.demux(file.streams.audio[0]) if packet.size]
        return [packet.pts * packet.time_base for packet in packets]


@pytest.mark.parametrize("slow", [2, 5])
def test_sound_of_slow_motion_is_stretched_at_its_pitch(tmp_path, slow):
    source = make(tmp_path / "in.mp4", frames(15), audio="aac")
    report = interpolate_video(source, tmp_path / "out.mp4", slow=slow, stretch_audio=True)
    assert report.warnings == ("audio #1: aac slowed and transcoded to aac",)
    with av.open(str(tmp_path / "out.mp4")) as file:
        sound = np.concatenate([one.to_ndarray()[0] for one in file.decode(audio=0)])
    assert abs(len(sound) / 48000 - slow * 15 / 30) < 0.1
    spectrum = np.abs(np.fft.rfft(sound))
    assert abs(np.argmax(spectrum) * 48000 / len(sound) - 440) < 5  # as it was
    times = _times_of_sound(tmp_path / "out.mp4")
    assert all(0.02 < float(after - before) < 0.023 for before, after in pairwise(times))


def test_sound_of_slow_motion_is_left_out_otherwise(tmp_path):
    source = make(tmp_path / "in.mp4", audio="aac")
    report = interpolate_video(source, tmp_path / "out.mp4", slow=2)
    assert report.warnings == ("audio #1 left out: --stretch-audio slows it at its pitch",)
    assert not facts(tmp_path / "out.mp4").tracks
