"""A stopped run goes on where it was, and ends with the same bytes."""

import hashlib
import os
import random

import numpy as np
import pytest

from vfi_jax.video import interpolate_video, workspace
from vfi_jax.video.chunks import Chunks
from vfi_jax.video.segments import FRAMES, decoding_times

from .clips import facts, frames, make
from .killed_runs import killed_runs, make_source
from .test_shots import Marks

COUNT = 200  # input frames: four segments


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return make(tmp_path_factory.mktemp("source") / "in.mp4", frames(COUNT), audio="aac")


class Killed(BaseException):
    """What stops a run in these tests."""


def _stopped(source, target, *, after, **options):
    def progress(done, expected):
        if done == after:
            raise Killed

    with pytest.raises(Killed):
        interpolate_video(source, target, resume=True, progress=progress, **options)
    assert not target.exists()


def _bytes(path):
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return [(one.name if path.is_dir() else "", hashlib.sha256(one.read_bytes())) for one in files]


def _digests(path):
    return [(name, digest.hexdigest()) for name, digest in _bytes(path)]


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        ("", None),
        (".mp4", None),
        (".mkv", "ffv1"),
        pytest.param(".webm", None, marks=pytest.mark.slow),
    ],
)
def test_a_resumed_run_ends_with_the_bytes_of_an_uninterrupted_one(tmp_path, source, suffix, codec):
    whole, target = (tmp_path / f"{name}{suffix}" for name in ("whole", "out"))
    interpolate_video(source, whole, resume=True, codec=codec)
    for after in (FRAMES + 20, 2 * FRAMES + 20):
        _stopped(source, target, after=after, codec=codec)
    report = interpolate_video(source, target, resume=True, codec=codec)
    assert f"resumed: {2 * FRAMES} frames were already done" in report.warnings
    assert report.frames_out == 2 * COUNT - 1
    assert _digests(target) == _digests(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([whole.name, target.name])


def test_the_joined_file_has_the_times_and_the_sound_of_one_made_at_once(tmp_path, source):
    interpolate_video(source, tmp_path / "plain.mp4")
    interpolate_video(source, tmp_path / "joined.mp4", resume=True)
    plain, joined = facts(tmp_path / "plain.mp4"), facts(tmp_path / "joined.mp4")
    assert (joined.times, joined.duration) == (plain.times, plain.duration)
    assert joined.bytes_of == plain.bytes_of == facts(source).bytes_of


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".mp4", ""])
def test_a_run_killed_at_a_random_moment_is_resumed(tmp_path, suffix):
    source, folder = make_source(tmp_path), tmp_path / "targets"
    folder.mkdir()
    (kill,) = killed_runs(source, folder, suffix, runs=1, seed=random.randrange(2**32))
    assert not kill.visible, kill
    assert kill.identical, kill


def test_a_damaged_segment_does_not_count(tmp_path, source):
    target = tmp_path / "out.mkv"
    _stopped(source, target, after=2 * FRAMES + 20, codec="ffv1")
    packets = workspace.folder_of(target) / "segments/000000.packets"
    data = bytearray(packets.read_bytes())
    data[len(data) // 2] ^= 1
    packets.write_bytes(data)
    report = interpolate_video(source, target, resume=True, codec="ffv1")
    assert f"resumed: {FRAMES} frames were already done" in report.warnings
    interpolate_video(source, tmp_path / "whole.mkv", resume=True, codec="ffv1")
    assert _digests(target) == _digests(tmp_path / "whole.mkv")


def test_kept_work_is_neither_mixed_with_another_job_nor_lost(tmp_path, source):
    target = tmp_path / "out.mp4"
    _stopped(source, target, after=FRAMES + 20)
    with pytest.raises(ValueError, match=r"had another output: repeat its options"):
        interpolate_video(source, target, resume=True, crf=30)
    with pytest.raises(ValueError, match=r"left its work in .*: --resume continues"):
        interpolate_video(source, target)
    assert (workspace.folder_of(target) / "segments/000000.json").exists()
    interpolate_video(source, target, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("out.gif", {"fps": 50}, r"files and folders, not \.gif"),
        ("out.mp4", {"shutter": 180}, "resume does not work with a shutter"),
    ],
)
def test_what_cannot_be_resumed_is_refused(tmp_path, source, name, options, message):
    with pytest.raises(ValueError, match=message):
        interpolate_video(source, tmp_path / name, resume=True, **options)
    assert not os.listdir(tmp_path)


def test_chunks_are_the_driver_s_frames_and_leave_out_what_is_done():
    given = [np.full((2, 2, 3), 10 * index, np.uint8) for index in range(12)]
    times = [index / 2 for index in range(23)]
    plain = [int(frame[0, 0, 0]) for frame in Marks().stream(given, times)]
    chunks = Chunks(Marks(), size=4, done={0, 2, 3}, reach=1)
    found = [
        frame if frame is None else int(frame[0, 0, 0])
        for frame in chunks.stream(iter(given), iter(times))
    ]
    done = [index // 4 in (0, 2, 3) for index in range(23)]
    assert found == [None if out else value for out, value in zip(done, plain, strict=True)]


def test_decoding_times_ascend_and_are_never_late():
    shown = [0, 4, 2, 1, 3, 8, 6, 5, 7]
    decoded = decoding_times(shown)
    assert decoded == [-2, -1, 0, 1, 2, 3, 4, 5, 6]
    assert all(early <= late for early, late in zip(decoded, shown, strict=True))
