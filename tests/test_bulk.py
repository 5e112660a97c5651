"""Many videos on Beam: recorded, resumed, retried."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.training import stand_in_store
from tests.video.clips import facts, frames, make
from vfi_jax import bulk
from vfi_jax.bulk import DONE, FAILED, RUNNING, Bulk, read_record, videos, work
from vfi_jax.cli.__main__ import main
from vfi_jax.video import Computing, Output
from vfi_jax.video.segments import digest, write_json

CLIPS = 12
WHAT = Bulk(computing=Computing(model="blend"), attempts=2)


@pytest.fixture
def folder(tmp_path):
    make(tmp_path / "in.mp4")
    (tmp_path / "out" / bulk.RECORDS).mkdir(parents=True)
    return tmp_path


def _work(folder, what=WHAT):
    target = folder / "out/in.mp4"
    work(what, (str(folder / "in.mp4"), str(target)))
    return target, read_record(target)


def test_a_finished_and_verified_video_is_skipped(folder):
    target, record = _work(folder)
    assert (record.state, record.frames, record.attempts) == (DONE, 11, 1)
    assert (record.sha256, record.size) == (digest([target]), target.stat().st_size)
    before = target.stat().st_mtime_ns
    assert _work(folder)[1] == record
    assert target.stat().st_mtime_ns == before


def test_a_modified_result_is_kept_and_reported(folder):
    target, _ = _work(folder)
    target.write_bytes(b"mine")
    _, record = _work(folder)
    assert record.state == FAILED
    assert "exists; --overwrite" in record.error
    assert target.read_bytes() == b"mine"
    other = dataclasses.replace(WHAT, output=Output(overwrite=True))
    assert _work(folder, other)[1].state == DONE


def test_the_target_of_a_dead_worker_is_written_again(folder):
    target, record = _work(folder)
    place = next((folder / "out" / bulk.RECORDS).glob("*.json"))
    write_json(place, dataclasses.asdict(dataclasses.replace(record, state=RUNNING)))
    target.write_bytes(b"half")
    assert _work(folder)[1].sha256 == record.sha256


def test_only_transient_failures_are_retried(folder, monkeypatch):
    real, calls = videos.interpolate_with, []

    def once_full(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise OSError("No space left on device")
        return real(*arguments)

    monkeypatch.setattr(videos, "interpolate_with", once_full)
    assert _work(folder)[1].attempts == 2
    (folder / "in.mp4").write_text("no video")
    other = dataclasses.replace(WHAT, output=Output(overwrite=True))
    _, record = _work(folder, other)
    assert (record.state, record.attempts) == (FAILED, 1)
    assert "cannot be read as a video" in record.error


def test_the_command_needs_a_folder_and_options_of_beam(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    for words, message in (
        (["in.mp4", "out.mp4"], "pass --output-dir"),
        (["in.mp4", "--output-dir", "out", "--workers", "0"], "--workers must be at least 1"),
        (["in.mp4", "--output-dir", "out", "--beam", "runner"], "--beam must be KEY=VALUE"),
        (["in.mp4", "--output-dir", "out", "--attempts", "0"], "attempts must be at least 1"),
        (["in.mp4", "--output-dir", "out", "--split", "0"], "split must be at least 1"),
        (["in.mp4", "--output-dir", "out", "--dry-run"], "bulk does not support dry_run"),
    ):
        assert main(["bulk", *words]) == 2
        assert message in capsys.readouterr().err


def test_videos_in_an_object_store_are_found_and_their_results_copied_there(folder):
    stand_in_store.register(str(folder))
    for name in ("b/10.mp4", "b/9.mp4", "b/notes.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(folder / "in.mp4", folder / name)
    jobs = bulk.find_jobs(["gs://b/*.mp4", "gs://b"], "gs://results/out")
    paths = [(str(job.source), str(job.target)) for job in jobs]
    assert paths == [(f"gs://b/{n}.mp4", f"gs://results/out/{n}.mp4") for n in (9, 10)]
    work(WHAT, paths[0])
    target = folder / "results/out/9.mp4"
    record = read_record(jobs[0].target)
    assert (record.state, record.frames, record.target) == (DONE, 11, paths[0][1])
    assert record.sha256 == digest([target])
    assert sorted(path.name for path in target.parent.iterdir()) == [bulk.RECORDS, "9.mp4"]
    before = target.stat().st_mtime_ns
    work(WHAT, paths[0])
    assert target.stat().st_mtime_ns == before
    target.write_bytes(b"mine")
    work(WHAT, paths[0])
    assert "gs://results/out/9.mp4 exists; --overwrite" in read_record(jobs[0].target).error
    assert target.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bulk", "gs://b/**/*.mp4", "--output-dir", "out"], "object stores take no"),
        (["bulk", "gs://b/*.avi", "--output-dir", "out"], "no file matches"),
        (["bulk", "in.mp4", "--output-dir", "ftp://b/out"], "ftp://b/out cannot be opened"),
        (
            ["interpolate", "in.mp4", "--output-dir", "gs://b/out"],
            "--output-dir must be a local path",
        ),
        (["interpolate", "gs://b/in.mp4", "o.mp4"], "source must be a local path"),
    ],
)
def test_remote_paths_that_cannot_be_used_are_one_line(folder, words, message, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    stand_in_store.register(str(folder))
    assert main(words) == 2
    assert message in capsys.readouterr().err
    assert not list(folder.glob("*:"))


@pytest.mark.slow
def test_a_run_with_a_killed_worker_resumes_to_the_same_result(tmp_path):
    pytest.importorskip("apache_beam")
    sources = tmp_path / "in"
    sources.mkdir()
    first = [make(tmp_path / f"{count}.mp4", frames(count), audio="aac") for count in (62, 70)]
    for index in range(CLIPS):
        shutil.copy(first[index % 2], sources / f"{index}.mp4")
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    with _command(sources, killed) as process:
        worker = _when_half_done(process, killed)
        os.kill(worker, signal.SIGKILL)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:  # Beam's local runner may wait for the dead worker
            os.killpg(process.pid, signal.SIGKILL)
    for target in (killed, whole):
        with _command(sources, target) as process:
            assert process.wait() == 0
    names = sorted(path.name for path in killed.glob("*.mp4"))
    assert len(names) == CLIPS
    for name in names:
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
        assert facts(killed / name).rate == 60
    manifest = json.loads((killed / bulk.MANIFEST).read_text())["videos"]
    assert [one["state"] for one in manifest] == [DONE] * CLIPS
    assert [one["sha256"] for one in manifest] == [
        digest([Path(one["target"])]) for one in manifest
    ]


def _command(sources, target):
    words = ["bulk", str(sources), "--output-dir", str(target), "--workers", "2"]
    return subprocess.Popen(
        [sys.executable, "-m", "vfi_jax.cli", *words, "--model", "blend"], start_new_session=True
    )


def _when_half_done(process, folder):
    """The id of a process that is at work on a video, once some videos are done."""
    while len(list(folder.glob("*.mp4"))) < CLIPS // 3 or not (held := _owners(folder)):
        assert process.poll() is None
        time.sleep(0.02)
    return held[0]


def _owners(folder):
    owners = []
    for lock in folder.glob(".vfi_jax-*/lock"):
        try:
            owners.append(int(lock.read_text()))
        except (FileNotFoundError, ValueError):  # just removed, or not yet written
            continue
    return owners
