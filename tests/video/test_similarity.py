import itertools

import numpy as np

from vfi_jax.data.scene import Scene
from vfi_jax.video import Timing, similarity


def _thumbnails(pictures):
    return [
        similarity.thumbnail(np.rint(255 * np.clip(one, 0, 1)).astype(np.uint8)) for one in pictures
    ]


def _changes(pictures):
    small = _thumbnails(pictures)
    return [similarity.change(one, other) for one, other in itertools.pairwise(small)]


def test_another_scene_is_a_cut_and_fast_motion_is_not():
    cuts = _changes([Scene(seed, 90, 160).frame(0) for seed in range(4)])
    moves = _changes([Scene(0, 90, 160, motion=12).frame(time) for time in range(5)])
    assert min(cuts) > Timing.scene_threshold > 2 * max(moves)


def test_flashes_and_fades_are_no_cuts():
    picture = Scene(0, 90, 160).frame(0)
    flash, dark = 0.6 + 0.4 * picture, 0.2 * picture
    assert max(_changes([picture, flash, picture, dark, picture])) < 0.1


def test_black_differs_from_a_picture_but_not_from_black():
    picture = Scene(0, 90, 160).frame(0)
    black, appears = _changes([np.zeros_like(picture), np.zeros_like(picture), picture])
    assert black == 0
    assert appears > Timing.scene_threshold


def test_any_size_has_a_thumbnail():
    for shape in ((1, 1, 3), (3, 500, 3), (64, 1, 4)):
        assert similarity.thumbnail(np.zeros(shape, np.uint8)).shape == (18, 32, 3)
        assert similarity.thumbnail(np.zeros(shape, np.uint16)).shape == (18, 32, 3)


def test_a_frame_coded_twice_is_a_repeat_and_slow_motion_is_not():
    picture, moved = (
        np.rint(255 * np.clip(Scene(0, 90, 160, motion=0.5).frame(time), 0, 1)).astype(np.uint8)
        for time in (0, 1)
    )
    coded = picture.copy()
    coded[40:44, 80:90] ^= 8
    assert similarity.is_repeat(picture, coded)
    assert similarity.is_repeat(picture.astype(np.uint16) * 257, coded.astype(np.uint16) * 257)
    assert not similarity.is_repeat(picture, moved)
    assert not similarity.is_repeat(picture, picture ^ 1)  # a fade, however slow
