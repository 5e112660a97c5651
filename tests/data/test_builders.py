"""Behaviour of single data sets; `test_data_sets` tests what all have in common."""

import json

import cv2
import numpy as np
import pytest

from tests import support
from tests.images.tiffs import tiff
from vfi_jax import data, images
from vfi_jax.data import sample_tree
from vfi_jax.data.builders import video_folder, vimeo90k, x4k1000fps
from vfi_jax.data.clip import read_frame, read_frames
from vfi_jax.data.faults import Faults, Unreadable
from vfi_jax.video import numbered


def test_an_unknown_name_or_split_lists_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match="did you mean vimeo90k/triplet"):
        data.find("vimeo90k/triplets")
    with pytest.raises(ValueError, match="middlebury has splits test; got 'train'"):
        data.clips("middlebury", tmp_path, "train")


def test_vimeo90k_splits_its_training_list_and_skips_blank_lines(tmp_path):
    vimeo90k.sample(tmp_path, "triplet")
    train, val = (list(data.clips("vimeo90k/triplet", tmp_path, s)) for s in ("train", "val"))
    assert (len(train), len(val)) == (36, 2)
    assert train[0].name == "00001/0001"


def test_every_tenth_sequence_of_a_folder_validates(tmp_path):
    for index in range(11):
        sample_tree.pictures(tmp_path / f"s{index:02d}", ["1.png", "2.png", "3.png"])
    names = {
        split: [clip.name for clip in data.clips("frame_folder", tmp_path, split)]
        for split in ("train", "val", "whole")
    }
    assert names["val"] == ["s09"]
    assert len(names["whole"]) == 11
    assert sorted(names["train"] + names["val"]) == names["whole"]
    with pytest.raises(ValueError, match="one sequence leaves none for 'val'"):
        list(data.clips("frame_folder", tmp_path / "s00", "val"))


def test_all_distances_of_a_listed_scene_are_in_one_split(tmp_path):
    entries = [
        {"scene": scene, "gap_class": gap, "frame0": "0", "gt": "1", "frame1": "2"}
        for scene in "ab"
        for gap in ("easy", "hard")
    ]
    (tmp_path / "index.json").write_text(json.dumps(entries))
    found = [clip.name for clip in data.clips("frame_folder", tmp_path, "val")]
    assert found == ["easy/b", "hard/b"]


def test_listed_triplets_of_one_scene_and_distance_have_unique_names(tmp_path):
    entries = [
        {"scene": scene, "gap_class": "easy", "frame0": "0", "gt": f"{scene}/{gt}", "frame1": "9"}
        for scene, gt in (("a", "07.png"), ("a", "08.png"), ("b", "07.png"))
    ]
    (tmp_path / "index.json").write_text(json.dumps(entries))
    found = [clip.name for clip in data.clips("frame_folder", tmp_path, "whole")]
    assert found == ["easy/a/07", "easy/a/08", "easy/b"]


def test_x_test_has_seven_targets_between_two_inputs(tmp_path):
    x4k1000fps.sample(tmp_path, "4k")
    [clip] = data.clips("x4k1000fps/4k", tmp_path, "test")
    assert [frame.stem for frame in clip.frames] == [f"{i:04d}" for i in range(0, 33, 4)]


def test_videos_are_split_at_scene_changes(tmp_path):
    sample_tree.video(tmp_path / "train/a.avi", 10, cut=6)
    sample_tree.video(tmp_path / "val/b.avi")
    clips = list(data.clips("video_folder", tmp_path, "train"))
    assert [len(clip.frames) for clip in clips] == [6, 4]
    assert clips[1].name == "train/a/000006"


def test_a_decoder_reads_in_order_and_again(tmp_path):
    """Segments return their own frames in any order of requests."""
    sample_tree.video(tmp_path / "train/a.avi", 14)
    sample_tree.video(tmp_path / "val/b.avi")
    clips = list(data.clips("video_folder", tmp_path, "train", frames=4))
    frames = [numbered.pixels(frame) for frame in numbered.frames(tmp_path / "train/a.avi")]
    for place in (0, 2, 1, 2, 0):
        for index, frame in enumerate(clips[place].frames):
            np.testing.assert_array_equal(frame(), frames[4 * place + index])


def test_the_last_of_few_videos_validates(tmp_path):
    for name in "abc":
        sample_tree.video(tmp_path / f"{name}.avi")
    names = {
        split: [clip.name[0] for clip in data.clips("video_folder", tmp_path, split)]
        for split in ("train", "val")
    }
    assert names == {"train": ["a", "b"], "val": ["c"]}


def test_static_footage_gives_no_clips(tmp_path):
    writer = cv2.VideoWriter(
        str(tmp_path / "still.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25, (48, 32)
    )
    for _ in range(8):
        writer.write(np.full((32, 48, 3), 90, np.uint8))
    writer.release()
    assert list(data.clips("video_folder", tmp_path, "train")) == []


@pytest.mark.parametrize("index", ["[]", "{}", '{"clips": ["file"]}', '{"clips": [{"start": 0}]}'])
def test_an_index_with_another_layout_is_rejected(tmp_path, index):
    video_folder.sample(tmp_path)
    (tmp_path / "index.json").write_text(index)
    with pytest.raises(ValueError, match=r"index.json has no list of clips(?s:.*)licence_class"):
        list(data.clips("video_folder", tmp_path, "train"))


def test_segments_of_an_index_are_used_unchanged(tmp_path):
    sample_tree.video(tmp_path / "train/a.avi", 10)
    sample_tree.video(tmp_path / "val/b.avi")
    (tmp_path / "index.json").write_text(
        '{"clips": [{"file": "train/a.avi", "licence_class": "MIT",'
        ' "segments": [{"start": 0, "n": 4}, {"start": 4, "n": 6}]}]}'
    )
    clips = list(data.clips("video_folder", tmp_path, "train"))
    assert [len(clip.frames) for clip in clips] == [4, 6]
    assert not list(data.clips("video_folder", tmp_path, "train", licences=("BSD",)))


def test_an_unreadable_video_is_skipped_or_an_error(tmp_path):
    for name in ("a", "b", "c"):
        sample_tree.video(tmp_path / f"train/{name}.avi")
    (tmp_path / "train/b.avi").write_bytes(b"RIFF")
    (tmp_path / "val").mkdir()
    faults = Faults()
    with pytest.warns(match=r"skipped: video .*b\.avi cannot be read"):
        found = [c.name for c in data.clips("video_folder", tmp_path, "train", faults=faults)]
    assert found == ["train/a/000000", "train/c/000000"]
    assert len(faults.found) == 1
    with pytest.raises(Unreadable, match=r"b\.avi"):
        list(data.clips("video_folder", tmp_path, "train", faults=Faults(strict=True)))


def test_a_list_may_start_with_a_byte_order_mark(tmp_path):
    vimeo90k.sample(tmp_path, "triplet")
    file = tmp_path / "tri_testlist.txt"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    names = [clip.name for clip in data.clips("vimeo90k/triplet", tmp_path, "test")]
    assert names == ["00001/0039", "00001/0040"]


def test_system_files_are_ignored(tmp_path):
    for name in ("a", "__MACOSX/a", ".trash"):
        sample_tree.pictures(tmp_path / name, ["1.png", "2.png", "3.png"])
    for name in ("._1.png", ".DS_Store", "Thumbs.db", "desktop.ini", ".nfs0001"):
        (tmp_path / "a" / name).touch()
    [clip] = data.clips("frame_folder", tmp_path, "whole")
    assert [frame.name for frame in clip.frames] == ["1.png", "2.png", "3.png"]
    sample_tree.video(tmp_path / "v/a.avi")
    for name in ("v/._a.avi", "__MACOSX/b.avi"):
        (tmp_path / name).write_bytes(b"no video")
    assert [path.name for path in video_folder.find_videos(tmp_path, "train")] == ["a.avi"]


def test_pages_of_a_stack_are_frames_of_a_sequence(tmp_path):
    pages = [np.full((4, 6), 1000 * n, np.uint16) for n in range(3)]
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.tif").write_bytes(tiff(pages, 16))
    [clip] = data.clips("frame_folder", tmp_path, "whole")
    assert read_frames(clip, clip.frames)[:, 0, 0, 0].tolist() == [0, 4, 8]


def test_16_bit_images_are_read_alike_in_videos_and_data_sets(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 65536, (6, 7, 3), np.uint16)
    images.write(tmp_path / "x.png", pixels)
    wanted = np.rint(pixels / 257).astype(np.uint8)
    np.testing.assert_array_equal(images.read(tmp_path / "x.png"), wanted)
    np.testing.assert_array_equal(read_frame(tmp_path / "x.png"), wanted)
    np.testing.assert_array_equal(read_frame((tmp_path / "x.png").read_bytes()), wanted)


@pytest.mark.parametrize("name", ["trunc", "vimeo"])
def test_folders_from_bug_reports_are_read(name):
    folder = support.SHARED / "data/reports/40_folders" / name
    if not folder.exists():
        pytest.skip("the reported files are not here")
    if name == "vimeo":
        assert [c.name for c in data.clips("vimeo90k/triplet", folder, "train")] == ["00001/0001"]
        return
    faults = Faults()
    with pytest.warns(match="skipped"):
        clips = list(data.clips("video_folder", folder, "train", faults=faults))
    assert clips
    assert len(faults.found) == 1
