"""Layers of noise: the returned motion agrees with the frames."""

import numpy as np

from vfi_jax import data, ops
from vfi_jax.data.builders import moving_textures


def test_warping_both_ends_by_half_of_the_motion_gives_the_middle():
    scene = moving_textures.render(3, (48, 56), reach=6.0)
    assert np.ptp(scene.motion, axis=(0, 1)).max() == 0  # one layer, one motion
    first, middle, last = scene.frames
    inside = (slice(4, -4), slice(4, -4))
    for frame, flow in ((first, -scene.motion / 2), (last, scene.motion / 2)):
        warped = np.asarray(ops.backward_warp(frame, flow))
        # Bilinear sampling blurs the finest noise, much less than a wrong motion would.
        still, moved = (np.abs(x - middle)[inside].mean() for x in (frame, warped))
        assert moved < 0.2 * still


def test_layers_move_independently_within_the_reach():
    scene = moving_textures.render(0, (64, 64), reach=8.0, layers=3)
    motions = np.unique(scene.motion.reshape(-1, 2), axis=0)
    assert len(motions) == 3
    assert np.abs(motions).max() <= 8


def test_clips_are_three_frames_and_differ_between_splits():
    options = {"scenes": 2, "size": (16, 24)}
    splits = [list(data.clips("moving_textures", None, s, **options)) for s in ("train", "val")]
    frames = [clip.frames for clips in splits for clip in clips]
    assert {np.shape(clip) for clip in frames} == {(3, 16, 24, 3)}
    assert {clip[0].dtype for clip in frames} == {np.dtype(np.uint8)}
    assert len({clip[0].tobytes() for clip in frames}) == 4
