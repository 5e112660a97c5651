"""A long video shared by several workers ends with the bytes of one computed by a single worker."""

import dataclasses
import random

import pytest

from tests.training import stand_in_store
from tests.video.clips import frames, make
from vfi_jax import bulk, remote
from vfi_jax.bulk import DONE, Bulk, parts, read_record, videos, work, work_part
from vfi_jax.bulk.parts import Part, plan_parts
from vfi_jax.cli.__main__ import main
from vfi_jax.video import Computing, Output, Timing

COUNT = 200  # input frames: 399 output frames in four segments
ALONE = Bulk(computing=Computing(model="blend"))
SHARED = dataclasses.replace(ALONE, split=3)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return make(tmp_path_factory.mktemp("source") / "in.mp4", frames(COUNT), audio="aac")


@pytest.fixture(autouse=True)
def short_parts(monkeypatch):
    monkeypatch.setattr(parts, "LEAST", 1)


@pytest.fixture
def reports(monkeypatch):
    """The reports of the runs that write targets."""
    real, found = videos.interpolate_with, []
    monkeypatch.setattr(
        videos, "interpolate_with", lambda *given: found.append(real(*given)) or found[-1]
    )
    return found


def _paths(source, target):
    (remote.path(target).parent / bulk.RECORDS).mkdir(parents=True, exist_ok=True)
    return str(source), str(target)


def _share(what, paths):
    """What a pipeline does, with the parts in any order."""
    planned = plan_parts(what, paths)
    random.shuffle(planned)
    for again in {join for part in planned for join in work_part(what, part)}:
        work(what, again)
    return planned


def _bytes(path):
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return [file.read_bytes() for file in files]


@pytest.mark.parametrize("name", ["in.mp4", "frames"])
def test_shared_work_has_the_bytes_of_one_worker(source, tmp_path, name, reports):
    work(ALONE, _paths(source, tmp_path / "alone" / name))
    target = tmp_path / "shared" / name
    planned = _share(SHARED, _paths(source, target))
    assert {part[2:] for part in planned} == {(0, 1), (1, 2), (2, None)}
    assert f"resumed: {2 * COUNT - 1} frames were already done" in reports[1].warnings
    assert _bytes(target) == _bytes(tmp_path / "alone" / name)
    record = read_record(target)
    assert (record.state, record.frames, record.attempts) == (DONE, 2 * COUNT - 1, 1)
    assert sorted(path.name for path in target.parent.iterdir()) == [bulk.RECORDS, name]
    assert len(list((target.parent / bulk.RECORDS).iterdir())) == 1
    assert plan_parts(SHARED, _paths(source, target)) == []


def test_parts_that_stopped_or_failed_are_completed(source, tmp_path, monkeypatch, reports):
    work(ALONE, _paths(source, tmp_path / "alone/in.mp4"))
    paths = _paths(source, tmp_path / "shared/in.mp4")
    planned, real = plan_parts(SHARED, paths), parts.interpolate_with

    def killed(*given, share):
        def progress(done, expected):
            if done == 380:  # in the last of its two segments
                raise KeyboardInterrupt

        real(*given, progress, share=share)

    monkeypatch.setattr(parts, "interpolate_with", killed)
    with pytest.raises(KeyboardInterrupt):
        work_part(SHARED, planned[2])
    [kept] = (tmp_path / "shared" / bulk.RECORDS).rglob("000002.packets")
    written = kept.stat().st_mtime_ns
    monkeypatch.setattr(parts, "interpolate_with", real)
    work_part(SHARED, planned[2])
    assert kept.stat().st_mtime_ns == written

    def full(*given, share):
        raise OSError("No space left on device")

    monkeypatch.setattr(parts, "interpolate_with", full)
    assert work_part(SHARED, planned[0]) == [paths]
    work(SHARED, paths)
    assert "resumed: 159 frames were already done" in reports[1].warnings
    assert _bytes(tmp_path / "shared/in.mp4") == _bytes(tmp_path / "alone/in.mp4")


def test_parts_are_kept_in_the_object_store_of_the_target(source, tmp_path, reports):
    stand_in_store.register(str(tmp_path))
    (tmp_path / "b").mkdir()
    (tmp_path / "b/in.mp4").write_bytes(source.read_bytes())
    work(ALONE, _paths(source, tmp_path / "alone/in.mp4"))
    _share(SHARED, _paths("gs://b/in.mp4", "gs://results/in.mp4"))
    assert f"resumed: {2 * COUNT - 1} frames were already done" in reports[1].warnings
    assert _bytes(tmp_path / "results/in.mp4") == _bytes(tmp_path / "alone/in.mp4")
    assert len(list((tmp_path / "results" / bulk.RECORDS).iterdir())) == 1


def test_parts_of_other_options_are_not_joined(source, tmp_path, reports):
    paths = _paths(source, tmp_path / "in.mp4")
    for part in plan_parts(SHARED, paths):
        work_part(SHARED, part)
    work(dataclasses.replace(SHARED, output=Output(crf=30)), paths)
    assert not any("resumed" in line for line in reports[0].warnings)


@pytest.mark.parametrize(
    ("what", "name", "least"),
    [
        (ALONE, "in.mp4", 1),
        (SHARED, "in.mp4", 3),
        (SHARED, "in.gif", 1),
        (dataclasses.replace(SHARED, timing=Timing(shutter=180)), "in.mp4", 1),
    ],
)
def test_what_cannot_be_shared_is_left_to_one_worker(
    source, tmp_path, monkeypatch, what, name, least
):
    monkeypatch.setattr(parts, "LEAST", least)
    paths = _paths(source, tmp_path / name)
    assert plan_parts(what, paths) == [Part(*paths)]
    missing = _paths(tmp_path / "missing.mp4", tmp_path / name)
    assert plan_parts(what, missing) == [Part(*missing)]


@pytest.mark.slow
def test_the_pipeline_shares_a_long_video(source, tmp_path):
    pytest.importorskip("apache_beam")
    make(tmp_path / "short.mp4")
    words = ["bulk", str(source), str(tmp_path / "short.mp4"), "--model", "blend", "--output-dir"]
    assert main([*words, str(tmp_path / "alone")]) == 0
    assert main([*words, str(tmp_path / "shared"), "--split", "3"]) == 0
    for name in ("in.mp4", "short.mp4"):
        assert _bytes(tmp_path / "shared" / name) == _bytes(tmp_path / "alone" / name)
    records = [
        (tmp_path / name / bulk.MANIFEST).read_text().replace(f"/{name}/", "/")
        for name in ("alone", "shared")
    ]
    assert records[0] == records[1]
