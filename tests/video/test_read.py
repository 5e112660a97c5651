"""Where videos come from: files of any name, pipes, streams that change on the way."""

import os
import threading

import numpy as np
import pytest

from vfi_jax.video import interpolate_video, read_frames

from .clips import FRAMES, frames, make


@pytest.mark.parametrize("name", ["2024-01-01T12:30:05.mp4", "http:x.mp4", "-y.mp4", "100%d.mkv"])
def test_any_name_of_a_file_is_read_and_written(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "in.mp4").rename(name)
    report = interpolate_video(name, f"out {name}")
    assert report.frames_out == 2 * FRAMES - 1
    assert (tmp_path / f"out {name}").stat().st_size


def test_a_video_comes_through_a_pipe(tmp_path):
    data, pipe = make(tmp_path / "in.mp4").read_bytes(), tmp_path / "pipe"
    assert data.index(b"moov") > data.index(b"mdat")  # cannot be read from front to back
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[data])
    writer.start()
    report = interpolate_video(pipe, tmp_path / "out.mp4")
    writer.join(timeout=10)
    assert (report.frames_in, report.source.name) == (FRAMES, "pipe")


def test_an_empty_pipe_is_named(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=[b""])
    writer.start()
    with pytest.raises(ValueError, match=r"pipe is empty \(0 bytes\)"):
        interpolate_video(tmp_path / "pipe", tmp_path / "out.mp4")
    writer.join(timeout=10)


def test_frames_of_another_size_are_fitted_with_their_aspect_kept(tmp_path):
    white = np.full((48, 32, 3), 255, np.uint8)
    parts = [make(tmp_path / "a.ts", frames(3), options={"crf": "4", "bf": "0"})]
    times = [step / 30 for step in range(3, 6)]
    parts.append(make(tmp_path / "b.ts", [white] * 3, times=times, options={"bf": "0"}))
    (tmp_path / "in.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    report = interpolate_video(tmp_path / "in.ts", tmp_path / "out", multi=1)
    assert "3 frames of 32x48: fitted into 48x32 with black bars" in report.warnings
    last = read_frames(tmp_path / "out")[0][-1]
    bright = last.mean(axis=-1) > 128
    assert bright.any(axis=0).sum() == 21  # 32 * 32 / 48
    assert bright[:, 24].all()
    assert not bright[:, [0, -1]].any()
