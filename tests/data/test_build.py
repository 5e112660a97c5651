"""Building a data set: stopping and resuming, and damaged videos."""

import pytest

from tests.data.test_pipeline import run
from vfi_jax.data import sample_tree, tfds_builder
from vfi_jax.data.build import Options, build
from vfi_jax.data.build import main as build_main
from vfi_jax.data.builders import video_folder
from vfi_jax.data.tfds_builder import open_built


def _stored(folder):
    return {
        (split, example["name"].decode()): (list(example["frames"]), list(example["inputs"]))
        for split in ("train", "val")
        for example in open_built("video_folder", folder, split)
    }


def _stop_after(monkeypatch, count):
    """Stop a build after a number of decoded clips; returns their names."""
    decoded, encode = [], tfds_builder.read_frames

    def read(clip, frames):
        if len(decoded) == count:
            raise KeyboardInterrupt
        decoded.append(clip.name)
        return encode(clip, frames)

    monkeypatch.setattr(tfds_builder, "read_frames", read)
    return decoded


def test_a_stopped_build_resumes(tmp_path, monkeypatch, capsys):
    for name in "abcd":
        sample_tree.video(tmp_path / f"videos/train/{name}.avi")
    sample_tree.video(tmp_path / "videos/val/e.avi")
    whole, cut = (
        Options("video_folder", str(tmp_path / name), str(tmp_path / "videos"))
        for name in ("whole", "cut")
    )
    build(whole)
    with monkeypatch.context() as patch:
        first = _stop_after(patch, 3)
        with pytest.raises(KeyboardInterrupt):
            build(cut)
    second = _stop_after(monkeypatch, 99)
    assert build(cut) == {"train": (4, 0), "val": (1, 0)}
    assert "reusing 3 clips decoded earlier" in capsys.readouterr().out
    assert sorted(first + second) == [*(f"train/{name}/000000" for name in "abcd"), "val/e/000000"]
    assert _stored(tmp_path / "cut") == _stored(tmp_path / "whole")
    assert {path.name for path in (tmp_path / "cut").iterdir()} <= {
        "video_folder",
        ".video_folder.lock",
        "downloads",
    }


def test_a_changed_tree_is_decoded_again(tmp_path, monkeypatch):
    for name in ("train/a", "train/b", "val/c"):
        sample_tree.video(tmp_path / f"videos/{name}.avi")
    options = Options("video_folder", str(tmp_path / "built"), str(tmp_path / "videos"))
    with monkeypatch.context() as patch:
        _stop_after(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            build(options)
    sample_tree.video(tmp_path / "videos/train/b.avi", 6)
    video_folder._scanned.cache_clear()  # another process
    assert len(_stop_after(monkeypatch, 99)) == 0
    build(options)
    frames = {name: len(frames) for (_, name), (frames, _) in _stored(tmp_path / "built").items()}
    assert frames == {"train/a/000000": 8, "train/b/000000": 6, "val/c/000000": 8}


BAD = {
    "empty.mp4": b"",
    "page.mp4": b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    "zeros.mkv": bytes(5000),
    "text.mov": b"not a video\n" * 40,
    "header.avi": b"RIFF",
    "noise.webm": bytes(range(256)) * 20,
}


def test_a_folder_of_3_good_and_6_bad_videos_is_built_and_the_bad_ones_reported(
    tmp_path, monkeypatch, capsys
):
    for name in ("train/a", "train/b", "val/c"):
        sample_tree.video(tmp_path / f"videos/{name}.avi")
    for name, content in BAD.items():
        (tmp_path / "videos/train" / name).write_bytes(content)
    (tmp_path / "videos/train/._a.avi").write_bytes(b"system file")
    building = ["build", "video_folder", "--root", tmp_path / "videos", "--data-dir"]
    with pytest.warns() as caught:
        assert run(build_main, monkeypatch, *building, tmp_path / "built") == 0
    left = [str(one.message) for one in caught if str(one.message).startswith("skipped: ")]
    assert len(left) == len(BAD)
    assert all(any(name in line for line in left) for name in BAD)
    shown = capsys.readouterr().out
    assert "train: 2 clips (6 skipped: not decodable), val: 1 clips" in shown
    assert run(build_main, monkeypatch, *building, "gs://bucket/built") == 2
    assert "--data-dir must be a local path, got gs://bucket" in capsys.readouterr().err
