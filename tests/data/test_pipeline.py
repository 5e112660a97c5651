"""Both pipelines: draws depend only on seed and step and are disjoint between processes."""

import collections
import contextlib
import dataclasses
import sys
import time

import jax
import numpy as np
import pytest

from vfi_jax import data
from vfi_jax.contract import Contract
from vfi_jax.data import augment, pipeline, sample_tree, throughput
from vfi_jax.data.batch import Preparation
from vfi_jax.data.batch_source import open_batch_source
from vfi_jax.data.build import Options, build
from vfi_jax.data.build import main as build_main
from vfi_jax.data.builders import vimeo90k
from vfi_jax.data.choice import Choice
from vfi_jax.data.tfds_builder import open_built
from vfi_jax.data.training_windows import windows


@pytest.fixture
def choice(tmp_path):
    for name in "abcd":
        names = ["frame10.png", "frame10i11.png", "frame11.png"]
        sample_tree.pictures(tmp_path / name, names, size=(24, 24))
    return Choice(("middlebury",), tmp_path, "test", batch=2, crop=(16, 16), frames=3)


@pytest.fixture(params=["streamed", "resident", "built, streamed", "built, resident"])
def source(request, choice, tmp_path_factory):
    if "built" in request.param:
        folder = tmp_path_factory.mktemp("built")
        assert build(Options("middlebury", folder, choice.folder)) == {"test": (4, 0)}
        choice = dataclasses.replace(choice, folder=folder)
    choice = dataclasses.replace(choice, resident="resident" in request.param)
    opened = open_batch_source(choice)
    yield choice, opened
    opened.close()


def test_a_draw_depends_only_on_seed_and_step(source):
    choice, first = source
    wanted = [first.draw(step) for step in range(4)]
    again = open_batch_source(choice)
    found = again.draw(3)
    again.close()
    for name, array in wanted[3].items():
        np.testing.assert_array_equal(found[name], array)
    assert not np.array_equal(wanted[0]["seeds"], wanted[2]["seeds"])


def test_every_clip_occurs_once_per_epoch(source):
    _, opened = source
    assert sorted(opened.names(0) + opened.names(1)) == ["a", "b", "c", "d"]


def test_processes_draw_different_clips(source):
    choice, _ = source
    parts = [
        open_batch_source(dataclasses.replace(choice, batch=1, shard=(i, 2))) for i in range(2)
    ]
    drawn = [part.names(0) + part.names(1) for part in parts]
    for part in parts:
        part.close()
    assert sorted(drawn[0] + drawn[1]) == ["a", "b", "c", "d"]


def test_both_pipelines_prepare_the_same_kind_of_batch(source):
    _, opened = source
    contract = Contract(frames=2, times=(0.5,))
    batch = Preparation(contract, opened.frames, (16, 16))(
        opened.gather(opened.arrays, opened.draw(0))
    )
    assert batch["frames"].shape == (2, 2, 16, 16, 3)
    assert batch["targets"].shape == (2, 1, 16, 16, 3)
    assert float(batch["targets"].max()) <= 1
    np.testing.assert_array_equal(batch["times"], [[0.5], [0.5]])


def test_batches_of_one_clip_are_streamed(choice):
    opened = open_batch_source(dataclasses.replace(choice, batch=1))
    names = [opened.draw(step)["clips"].shape and opened.names(step) for step in (0, 1, 2**40)]
    opened.close()
    assert all(len(each) == 1 for each in names)


def test_the_number_of_clips_read_ahead_does_not_depend_on_the_batch(choice, monkeypatch):
    loaded = collections.Counter()  # by source: threads of a closed one may still be loading
    load = pipeline.Streamed._load
    monkeypatch.setattr(
        pipeline.Streamed, "_load", lambda self, *args: loaded.update([self]) or load(self, *args)
    )
    monkeypatch.setattr(pipeline, "AHEAD", 5)
    for batch, most in ((1, 6), (4, 12)):
        earlier = set(loaded)
        opened = open_batch_source(dataclasses.replace(choice, batch=batch))
        opened.draw(0)
        time.sleep(0.2)  # read in the meantime; a slow machine reads less
        opened.close()
        [count] = [loaded[source] for source in loaded.keys() - earlier]
        assert batch <= count <= most


@pytest.mark.parametrize("built", [False, True])
def test_only_the_frames_needed_by_windows_are_loaded(choice, tmp_path, built):
    sample_tree.pictures(tmp_path / "seq/one", [f"{i}.png" for i in range(3)])
    sample_tree.pictures(tmp_path / "seq/two", [f"{i}.png" for i in range(7)])
    choice = Choice(("frame_folder",), tmp_path / "seq", "whole", batch=2, crop=(16, 16))
    if built:
        build(Options("frame_folder", tmp_path / "built", choice.folder))
        choice = dataclasses.replace(choice, folder=tmp_path / "built")
    for changes, frames, names in (
        ({}, 7, {"one", "two"}),
        ({"loaded": 3}, 3, {"one", "two"}),
        ({"shortest": 5}, 7, {"two"}),
    ):
        opened = open_batch_source(dataclasses.replace(choice, **changes))
        drawn = opened.draw(0)
        opened.close()
        assert (opened.frames, drawn["clips"].shape[1]) == (frames, frames)
        assert set(opened.names(0)) == names
    with pytest.raises(ValueError, match="no clip of frame_folder in 'whole' has 9 frames"):
        open_batch_source(dataclasses.replace(choice, shortest=9))


def test_short_clips_of_an_old_build_are_reported_by_name(choice, tmp_path):
    build(Options("middlebury", tmp_path / "built", choice.folder))
    for file in (tmp_path / "built").rglob("metadata.json"):
        file.unlink()
    choice = dataclasses.replace(choice, folder=tmp_path / "built", frames=9)
    opened = open_batch_source(choice)
    assert opened.draw(0)["clips"].shape[1] == opened.frames == 9
    opened.close()
    opened = open_batch_source(dataclasses.replace(choice, shortest=5))
    with pytest.raises(ValueError, match=r"clip . has 3 frames, but .* 5; rebuild the set"):
        opened.draw(0)
    opened.close()


def test_the_order_of_an_epoch_is_drawn_once(choice, monkeypatch):
    opened = open_batch_source(dataclasses.replace(choice, resident=True, seed=12345))
    made, default_rng = [], np.random.default_rng
    monkeypatch.setattr(
        np.random, "default_rng", lambda *args: made.append(args) or default_rng(*args)
    )
    assert sorted(opened.names(0) + opened.names(1)) == ["a", "b", "c", "d"]
    assert len(made) == 1


def test_throughput_is_counted_in_clips(choice):
    choice = dataclasses.replace(choice, resident=True)
    assert throughput.measure(choice, seconds=0.2) > 10


def run(main, monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", [str(word) for word in words])
    return main()


def test_undecodable_clips_are_skipped_and_counted_by_a_build(
    choice, tmp_path, monkeypatch, capsys
):
    file = choice.folder / "b/frame11.png"
    file.write_bytes(file.read_bytes()[:500])
    building = ["build", "middlebury", "--root", choice.folder, "--data-dir"]
    with pytest.warns(match="skipped: clip b: .*b/frame11.png cannot be read"):
        assert run(build_main, monkeypatch, *building, tmp_path / "built") == 0
    assert "test: 3 clips (1 skipped: not decodable)" in capsys.readouterr().out
    assert len(open_built("middlebury", tmp_path / "built", "test")) == 3
    assert run(build_main, monkeypatch, *building, tmp_path / "strict", "--strict") == 2
    assert "build: error: clip b: " in capsys.readouterr().err


def draw_twice(choice):
    """Shapes loaded by two steps."""
    with contextlib.closing(open_batch_source(choice)) as opened:
        return [opened.draw(step)["seeds"].shape for step in range(2)]


def test_a_data_set_without_readable_clips_is_an_error(choice, tmp_path, monkeypatch, capsys):
    for folder in "abcd":
        (choice.folder / folder / "frame10.png").write_bytes(b"PNG")
    building = ["build", "middlebury", "--root", choice.folder, "--data-dir", tmp_path / "built"]
    with pytest.warns(match="skipped"):
        assert run(build_main, monkeypatch, *building) == 2
    assert "none of 4 clips can be decoded" in capsys.readouterr().err
    (tmp_path / "videos").mkdir()
    for name in "ab":
        (tmp_path / f"videos/{name}.mp4").write_bytes(b"RIFF")
    building = ["build", "video_folder", "--root", tmp_path / "videos", "--data-dir", tmp_path]
    with pytest.warns(match="skipped"):
        assert run(build_main, monkeypatch, *building) == 2
    assert "no clip of 'train' can be read" in capsys.readouterr().err


@pytest.mark.parametrize("resident", [False, True])
def test_training_continues_without_unreadable_clips(choice, resident):
    (choice.folder / "b/frame11.png").unlink()
    choice = dataclasses.replace(choice, resident=resident)
    with pytest.warns() as found:
        assert draw_twice(choice) == [(2,), (2,)]
    first, last = (str(one.message) for one in (found[0], found[-1]))
    assert first.startswith("skipped: clip b: ")
    assert "b/frame11.png does not exist" in first
    assert last == "1 could not be read and were skipped"
    with pytest.raises(ValueError, match=r"clip b: .*does not exist"):
        draw_twice(dataclasses.replace(choice, strict=True))


def test_tools_report_user_errors_in_one_line(choice, tmp_path, monkeypatch, capsys):
    building = ["build", "middlebury", "--data-dir", tmp_path / "built", "--root"]
    file = choice.folder / "a/frame10.png"
    assert run(build_main, monkeypatch, *building, file) == 2
    assert "build: error: " in (error := capsys.readouterr().err)
    assert "frame10.png: not a directory" in error
    timing = ["throughput", "middlebury", "--split", "test", "--crop", "99", "99", "--data-dir"]
    assert run(throughput.main, monkeypatch, *timing, choice.folder) == 2
    assert "throughput: error: crop (99, 99) does not fit" in capsys.readouterr().err


def test_synthetic_scenes_of_different_splits_differ():
    train, val = (
        next(iter(data.clips("synthetic", None, split, scenes=1, frames=1, size=(16, 16))))
        for split in ("train", "val")
    )
    assert not np.array_equal(train.frames[0], val.frames[0])


def test_windows_fit_the_contract():
    any_time = Contract(frames=2, times=None)
    [window] = windows(any_time, 3)
    assert (window.inputs, window.targets, window.times) == ((0, 2), (1,), (0.5,))
    assert {w.times[0] for w in windows(any_time, 5, gaps=(4,))} == {0.25, 0.5, 0.75}
    ahead = Contract(frames=2, times=(2.0,))
    assert windows(ahead, 3)[0].targets == (2,)
    stretch = Contract(frames=4, min_frames=2, times=tuple(i / 2 for i in range(7)), scale=4)
    assert windows(stretch, 7)[0].targets == tuple(range(7))
    with pytest.raises(ValueError, match="use longer clips"):
        windows(stretch, 6)
    middle = Contract(frames=2, times=(0.5,))
    assert {w.span for w in windows(middle, 9, gaps=(2, 4))} == {3, 5}
    for gap in (3, 16):  # the middle is no frame; longer than the clip
        with pytest.raises(ValueError, match=f"clips of 9 frames .* with gap {gap}; use longer"):
            windows(middle, 9, gaps=(2, gap))


def test_time_reversal_shows_no_padding():
    run = jax.jit(lambda key: augment.reverse(key, np.arange(4), 4, augment.Augment()))
    orders = {tuple(np.asarray(run(jax.random.key(seed)))) for seed in range(8)}
    assert orders == {(0, 1, 2, 3), (3, 2, 1, 0)}
    assert augment.reverse(jax.random.key(0), 2, 4, augment.NONE) == 2


def test_all_frames_of_a_clip_get_the_same_augmentation():
    clip = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), np.uint8).repeat(3, axis=0)
    everything = augment.Augment(transpose=True, channels="permute")
    out = jax.jit(lambda key: augment.augment(key, clip, everything))(jax.random.key(3))
    np.testing.assert_array_equal(out[0], out[2])
    assert not np.array_equal(out[0], clip[0])


def test_a_scaled_crop_shows_no_padding():
    rows, columns = np.mgrid[:60, :80]
    ramp = np.stack([50 + columns, 50 + 2 * rows, 0 * rows + 200], axis=-1).astype(np.uint8)
    clip = np.zeros((2, 64, 96, 3), np.uint8)
    clip[:, :60, :80] = ramp
    run = jax.jit(lambda key, size: augment.scaled_crop(key, clip, size, (32, 32), least=0.6))
    # The second holds but a factor of 33 / 40, the third none.
    for height, furthest in ((60, 1 / 0.6), (40, 40 / 33), (32, 1)):
        clip[:, height:] = 0
        steps = []
        for seed in range(24):
            out = np.asarray(run(jax.random.key(seed), np.array([height, 80]))).astype(int)
            np.testing.assert_array_equal(out[0], out[1])
            np.testing.assert_array_equal(out[..., 2], 200)
            across = np.diff(out[0, :, 1:-1, 0], axis=1).mean()
            assert np.diff(out[0, 1:-1, :, 1], axis=0).mean() == pytest.approx(2 * across, abs=0.1)
            steps.append(across)
        assert np.isclose(steps, 1).sum() > 5
        assert 1 + 0.7 * (furthest - 1) <= max(steps) < furthest + 0.05
    with pytest.raises(ValueError, match="shrink must be in"):
        augment.Augment(shrink=0)
    clip[:, 32:] = 0
    enlarge = jax.jit(
        lambda key: augment.scaled_crop(key, clip, np.array([32, 80]), (32, 32), most=2.0)
    )
    steps = []
    for seed in range(24):
        out = np.asarray(enlarge(jax.random.key(seed))).astype(int)
        np.testing.assert_array_equal(out[..., 2], 200)
        steps.append(np.diff(out[0, :, 1:-1, 0], axis=1).mean())
    assert np.isclose(steps, 1, atol=0.02).sum() > 5
    assert 0.48 < min(steps) < 0.65
    with pytest.raises(ValueError, match="enlarge must be at least 1"):
        augment.Augment(enlarge=0.5)


def test_a_moving_crop_pans_by_whole_pixels_and_shows_no_padding():
    rows, columns = np.mgrid[:60, :80]
    ramp = np.stack([50 + columns, 50 + 2 * rows, 0 * rows + 200], axis=-1).astype(np.uint8)
    clip = np.zeros((3, 64, 96, 3), np.uint8)
    clip[:, :60, :80] = ramp
    indices = np.array([6, 2, 3])
    run = jax.jit(
        lambda key: augment.moving_crop(
            key, clip, np.array([60, 80]), (32, 32), indices=indices, most=0.5
        )
    )
    speeds = []
    for seed in range(24):
        out = np.asarray(run(jax.random.key(seed))).astype(int)
        np.testing.assert_array_equal(out[..., 2], 200)
        x, y = (out[2] - out[1])[..., :2].reshape(-1, 2).T  # of one frame's time
        assert len({*x}) == len({*y}) == 1
        np.testing.assert_array_equal(out[0] - out[1], 4 * (out[2] - out[1]))
        speeds.append([x[0], y[0] / 2])
    assert 2 < np.abs(speeds).max() <= 0.5 * 32 / 4
    assert {*np.sign(speeds).ravel()} == {-1, 0, 1}


def test_streams_load_the_region_for_scaled_crops(choice):
    wanted = augment.Augment(shrink=0.5).region(choice.crop)
    assert wanted == (34, 34)
    opened = open_batch_source(dataclasses.replace(choice, region=wanted))
    drawn = opened.draw(0)
    opened.close()
    np.testing.assert_array_equal(drawn["sizes"][:, 1:], 24)  # all that these have
    assert drawn["clips"].shape[2:4] == wanted


@pytest.mark.slow
def test_beam_builds_the_same(tmp_path):
    pytest.importorskip("apache_beam")
    vimeo90k.sample(tmp_path / "raw", "triplet")
    built = {}
    for runner in ("", "DirectRunner"):
        folder = tmp_path / f"built{runner}"
        counts = build(Options("vimeo90k/triplet", folder, tmp_path / "raw", beam_runner=runner))
        built[runner] = (
            counts,
            {
                example["name"]: list(example["frames"])
                for split in counts
                for example in open_built("vimeo90k/triplet", folder, split)
            },
        )
    assert built["DirectRunner"] == built[""]
