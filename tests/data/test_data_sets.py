"""Every data set: its sample tree gives clips in order, in disjoint splits."""

import functools
from pathlib import Path

import numpy as np
import pytest

from vfi_jax import data
from vfi_jax.data.clip import Clip, read_frame
from vfi_jax.data.faults import Unreadable
from vfi_jax.data.samples import samples
from vfi_jax.data.training_windows import TrainingWindow
from vfi_jax.evaluation import protocol

NAMES = data.list_data()
READ = [name for name in NAMES if data.find(name)[0].LAYOUT]
SPEEDS = ("fast", "medium", "slow")  # parts of the test list, only for septuplets
SMALL = {"scenes": 2, "size": (32, 32)}  # for rendered sets


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """{split: clips} of a data set's sample tree."""

    @functools.cache
    def build(name):
        builder, variant = data.find(name)
        folder = tmp_path_factory.mktemp("tree")
        options = {} if builder.LAYOUT else SMALL
        if builder.LAYOUT:
            builder.sample(folder, variant)
        splits = [one for one in builder.SPLITS if not (variant == "triplet" and one in SPEEDS)]
        return {split: list(data.clips(name, folder, split, **options)) for split in splits}

    return build


def identity(frame):
    """Source of a frame."""
    if isinstance(frame, functools.partial):
        return (frame.func.__name__, frame.args, tuple(frame.keywords.items()))
    return frame.tobytes() if isinstance(frame, np.ndarray) else frame


@pytest.mark.parametrize("name", NAMES)
def test_train_val_and_test_share_no_frame(name, tree):
    seen = {}
    for split, clips in tree(name).items():
        assert clips, split
        assert len({clip.name for clip in clips}) == len(clips)
        if split in ("train", "val", "test"):
            frames = {identity(frame) for clip in clips for frame in clip.frames}
            for other, others in seen.items():
                assert not frames & others, (split, other)
            seen[split] = frames


@pytest.mark.parametrize("name", NAMES)
def test_frames_are_in_the_order_of_time(name, tree):
    """Sample frames get brighter; rendered frames move away from the first one."""
    rendered = not data.find(name)[0].LAYOUT
    for clips in tree(name).values():
        frames = [read_frame(frame) for frame in clips[0].frames]
        assert len(frames) >= 3
        assert len({frame.shape for frame in frames}) == 1
        if rendered:
            frames = [np.abs(frame - frames[0].astype(int)) for frame in frames]
        means = [frame.mean() for frame in frames]
        assert (np.diff(means) > 0).all(), means


@pytest.mark.parametrize("name", NAMES)
def test_evaluation_targets_are_between_the_inputs(name, tree):
    clips = tree(name).get(data.evaluated_split(name), ())
    for sample, clip in zip(samples(clips[:1], protocol("default")), clips[:1], strict=True):
        assert len(sample.frames) + len(sample.targets) == len(clip.frames)
        assert all(0 < time < len(sample.frames) - 1 for time in sample.times)
        assert list(sample.times) == sorted(sample.times)
        if data.find(name)[0].LAYOUT:
            levels = [frames.mean() for frames in (sample.frames[0], *sample.targets)]
            assert (np.diff(levels) > 0).all()
            assert levels[-1] < sample.frames[-1].mean()


@pytest.mark.parametrize("name", READ)
def test_a_tree_with_another_layout_is_rejected_with_the_expected_layout(name, tmp_path):
    (tmp_path / "holiday").mkdir()
    builder, _ = data.find(name)
    with pytest.raises(ValueError, match="holiday") as error:
        list(data.clips(name, tmp_path, builder.SPLITS[0]))
    assert builder.LAYOUT in str(error.value)


FRAMES = (Path("0.png"), Path("1.png"), Path("2.png"))
SMALLER = (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8))


@pytest.mark.parametrize("inputs", [(0, 3), (-1, 2), (2, 0), (0, 0), (1,)])
def test_inputs_of_a_clip_are_ascending_indices_of_its_frames(inputs):
    with pytest.raises(
        ValueError, match="clip a: inputs must be two or more ascending indices < 3"
    ):
        Clip("a", FRAMES, inputs)


@pytest.mark.parametrize(
    ("frames", "options", "error"),
    [
        ((), {}, "clip a has no frames"),
        (SMALLER, {}, r"clip a has frames of \(4, 4, 3\) and \(4, 5, 3\)"),
        (FRAMES, {"low": FRAMES[:2]}, "clip a has 3 frames, but 2 in low resolution"),
    ],
)
def test_frames_of_a_clip_have_equal_shapes(frames, options, error):
    with pytest.raises(ValueError, match=error):
        Clip("a", frames, **options)


def test_different_sizes_are_detected_on_reading(tmp_path):
    from vfi_jax import images
    from vfi_jax.data.clip import read_frames

    for number, pixels in enumerate(SMALLER):
        images.write(tmp_path / f"{number}.png", pixels)
    clip = Clip("a", (tmp_path / "0.png", tmp_path / "1.png"))
    with pytest.raises(Unreadable, match=r"clip a has frames of \(4, 4, 3\) and \(4, 5, 3\)"):
        read_frames(clip, clip.frames)


@pytest.mark.parametrize(
    "window", [((1, 0), (2,), (0.5,)), ((0, 2), (1,), (0.5, 0.7)), ((-1, 1), (0,), (0.5,))]
)
def test_a_window_is_in_the_order_of_time(window):
    with pytest.raises(ValueError, match="window"):
        TrainingWindow(*window)
