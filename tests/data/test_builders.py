"""Every data set: a tree laid out as published gives clips, another is refused with the layout."""

import json

import cv2
import numpy as np
import pytest

from tests.data import trees
from vfi_jax import data
from vfi_jax.data.clip import read_frame
from vfi_jax.video import numbered

READ = [name for name in data.list_data() if data.find(name)[0].LAYOUT]


@pytest.mark.parametrize("name", READ)
def test_a_published_tree_gives_clips_in_every_split(name, tmp_path):
    builder, variant = data.find(name)
    getattr(trees, builder.__name__.rsplit(".", 1)[-1])(tmp_path, variant)
    splits = [split for split in builder.SPLITS if not (variant == "triplet" and split in SPEEDS)]
    seen = set()
    for split in splits:
        clips = list(data.clips(name, tmp_path, split))
        assert clips, split
        assert len({clip.name for clip in clips}) == len(clips)
        assert all(len(clip.frames) >= 3 for clip in clips)
        if split in ("train", "val") and "val" in splits:
            names = {str(clip.frames[0]) for clip in clips}
            assert not names & seen
            seen |= names
    frame = read_frame(clips[0].frames[0])
    assert frame.dtype == np.uint8
    assert frame.shape[-1] == 3


SPEEDS = ("fast", "medium", "slow")  # only the septuplets' test list is divided by motion


@pytest.mark.parametrize("name", READ)
def test_another_tree_is_refused_with_the_layout_and_what_was_found(name, tmp_path):
    (tmp_path / "holiday").mkdir()
    builder, _ = data.find(name)
    with pytest.raises(ValueError, match="holiday") as error:
        list(data.clips(name, tmp_path, builder.SPLITS[0]))
    assert builder.LAYOUT in str(error.value)


def test_a_wrong_name_or_split_lists_what_there_is(tmp_path):
    with pytest.raises(ValueError, match="did you mean vimeo90k/triplet"):
        data.find("vimeo90k/triplets")
    with pytest.raises(ValueError, match="middlebury has splits test; got 'train'"):
        data.clips("middlebury", tmp_path, "train")


def test_vimeo90k_divides_its_training_list_and_skips_blank_lines(tmp_path):
    trees.vimeo90k(tmp_path, "triplet")
    train, val = (list(data.clips("vimeo90k/triplet", tmp_path, s)) for s in ("train", "val"))
    assert (len(train), len(val)) == (36, 2)
    assert train[0].name == "00001/0001"


def test_a_folder_of_sequences_holds_every_tenth_back_and_tests_on_all(tmp_path):
    for index in range(11):
        trees.pictures(tmp_path / f"s{index:02d}", ["1.png", "2.png", "3.png"])
    names = {
        split: [clip.name for clip in data.clips("frame_folder", tmp_path, split)]
        for split in ("train", "val", "test")
    }
    assert names["val"] == ["s09"]
    assert len(names["test"]) == 11
    assert sorted(names["train"] + names["val"]) == names["test"]
    with pytest.raises(ValueError, match="one sequence leaves none for 'val'"):
        list(data.clips("frame_folder", tmp_path / "s00", "val"))


def test_a_listed_scene_lies_in_one_split_at_all_its_distances(tmp_path):
    entries = [
        {"scene": scene, "gap_class": gap, "frame0": "0", "gt": "1", "frame1": "2"}
        for scene in "ab"
        for gap in ("easy", "hard")
    ]
    (tmp_path / "index.json").write_text(json.dumps(entries))
    found = [clip.name for clip in data.clips("frame_folder", tmp_path, "val")]
    assert found == ["easy/b", "hard/b"]


def test_triplets_listed_of_one_scene_and_distance_have_names_of_their_own(tmp_path):
    entries = [
        {"scene": scene, "gap_class": "easy", "frame0": "0", "gt": f"{scene}/{gt}", "frame1": "9"}
        for scene, gt in (("a", "07.png"), ("a", "08.png"), ("b", "07.png"))
    ]
    (tmp_path / "index.json").write_text(json.dumps(entries))
    found = [clip.name for clip in data.clips("frame_folder", tmp_path, "test")]
    assert found == ["easy/a/07", "easy/a/08", "easy/b"]


def test_x_test_asks_for_seven_frames_between_two(tmp_path):
    trees.x4k1000fps(tmp_path, "4k")
    [clip] = data.clips("x4k1000fps/4k", tmp_path, "test")
    assert [frame.stem for frame in clip.frames] == [f"{i:04d}" for i in range(0, 33, 4)]


def test_a_folder_of_videos_is_cut_where_the_scene_changes(tmp_path):
    trees.video(tmp_path / "train/a.avi", 10, cut=6)
    trees.video(tmp_path / "val/b.avi")
    clips = list(data.clips("video_folder", tmp_path, "train"))
    assert [len(clip.frames) for clip in clips] == [6, 4]
    assert clips[1].name == "train/a/000006"


def test_a_video_is_read_on_and_read_again(tmp_path):
    """In whatever order its segments are asked for, each has its own frames."""
    trees.video(tmp_path / "train/a.avi", 14)
    trees.video(tmp_path / "val/b.avi")
    clips = list(data.clips("video_folder", tmp_path, "train", frames=4))
    frames = [numbered.pixels(frame) for frame in numbered.frames(tmp_path / "train/a.avi")]
    for place in (0, 2, 1, 2, 0):
        for index, frame in enumerate(clips[place].frames):
            np.testing.assert_array_equal(frame(), frames[4 * place + index])


def test_of_few_videos_the_last_validates(tmp_path):
    for name in "abc":
        trees.video(tmp_path / f"{name}.avi")
    names = {
        split: [clip.name[0] for clip in data.clips("video_folder", tmp_path, split)]
        for split in ("train", "val")
    }
    assert names == {"train": ["a", "b"], "val": ["c"]}


def test_still_footage_gives_no_clips(tmp_path):
    writer = cv2.VideoWriter(
        str(tmp_path / "still.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25, (48, 32)
    )
    for _ in range(8):
        writer.write(np.full((32, 48, 3), 90, np.uint8))
    writer.release()
    assert list(data.clips("video_folder", tmp_path, "train")) == []


@pytest.mark.parametrize("index", ["[]", "{}", '{"clips": ["file"]}', '{"clips": [{"start": 0}]}'])
def test_an_index_of_something_else_is_refused_with_what_is_wanted(tmp_path, index):
    trees.video_folder(tmp_path, "")
    (tmp_path / "index.json").write_text(index)
    with pytest.raises(ValueError, match=r"index.json has no list of clips(?s:.*)licence_class"):
        list(data.clips("video_folder", tmp_path, "train"))


def test_segments_listed_in_an_index_are_taken_as_they_are(tmp_path):
    trees.video(tmp_path / "train/a.avi", 10)
    trees.video(tmp_path / "val/b.avi")
    (tmp_path / "index.json").write_text(
        '{"clips": [{"file": "train/a.avi", "licence_class": "MIT",'
        ' "segments": [{"start": 0, "n": 4}, {"start": 4, "n": 6}]}]}'
    )
    clips = list(data.clips("video_folder", tmp_path, "train"))
    assert [len(clip.frames) for clip in clips] == [4, 6]
    assert not list(data.clips("video_folder", tmp_path, "train", licences=("BSD",)))
