"""Collages: the returned motion agrees with the frames."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vfi_jax import ops
from vfi_jax.contract import Contract
from vfi_jax.data.augment import Augment
from vfi_jax.data.batch import Preparation
from vfi_jax.data.collage import collage
from vfi_jax.data.scene import Scene

SHAPE = (48, 64)
TIMES = np.array([0.25], np.float32)
SIZES = np.array([[80, 112], [60, 112], [80, 90]], np.int32)
MIDPOINT = Contract(frames=2, times=(0.5,))
MIXED = Preparation(MIDPOINT, 3, (32, 32), Augment(collages=0.5))


@pytest.fixture(scope="module")
def images():
    frames = [Scene(seed, 80, 112, objects=2).frame(0) for seed in range(3)]
    return np.rint(255 * np.stack(frames)).astype(np.uint8)


@pytest.fixture(scope="module")
def make(images):
    return jax.jit(lambda key: collage(key, images, SIZES, TIMES, SHAPE))


@pytest.fixture(scope="module")
def batch(images):
    return jax.jit(MIXED)(_raw(images))


def test_frames_move_by_the_returned_motion(make):
    for seed in range(4):
        (first, last), [between], [motion] = make(jax.random.key(seed))

        def off(motion, first=first, between=between, last=last):
            """Median error, because most of a frame is visible."""
            warped0 = ops.backward_warp(first, -0.25 * motion, padding="border")
            warped1 = ops.backward_warp(last, 0.75 * motion, padding="border")
            errors = jnp.minimum(jnp.abs(warped0 - between), jnp.abs(warped1 - between))
            return jnp.median(errors.max(-1))

        right = off(motion)
        assert right < 0.01
        for wrong in (motion + jnp.array([0.5, 0]), motion - jnp.array([0, 0.5]), -motion):
            assert off(wrong) > 1.1 * right


def test_layers_occlude_one_another_and_move_independently(make):
    motions = np.stack([make(jax.random.key(seed)).motion[0] for seed in range(4)])
    jumps = np.abs(np.diff(motions, axis=2)).max(-1)
    assert (jumps > 1).mean() > 0.002  # outlines of cut-outs
    assert np.median(jumps) < 0.2  # motion changes smoothly within a layer
    assert 2 < np.abs(motions).max() < 80


def test_padding_is_never_visible():
    flat = np.zeros((3, 80, 112, 3), np.uint8)
    for image, (height, width) in zip(flat, SIZES, strict=True):
        image[:height, :width] = 200
    run = jax.jit(lambda key: collage(key, flat, SIZES, TIMES, SHAPE).frames)
    for seed in range(3):
        np.testing.assert_allclose(255 * run(jax.random.key(seed)), 200, rtol=1e-6)
    made = jax.jit(MIXED)(_raw(flat, SIZES))
    np.testing.assert_allclose(255 * made["frames"], 200, rtol=1e-6)


def test_a_share_of_a_batch_is_replaced_by_collages(images, batch):
    assert batch["known"].sum() == 2
    assert batch["motion"].shape == (4, 1, 32, 32, 2)
    plain = dataclasses.replace(MIXED, augment=Augment())(_raw(images))
    for row, known in enumerate(batch["known"]):
        assert np.abs(batch["motion"][row]).any() == known
        # Collages of static clips move.
        assert np.array_equal(*batch["frames"][row]) == (not known)
        for name, array in plain.items():
            assert name == "times" or np.array_equal(batch[name][row], array[row]) == (not known)


def test_motion_is_given_at_the_targets(batch):
    [rows] = np.nonzero(batch["known"])
    assert len(rows)
    for row in rows:
        warped = [
            ops.backward_warp(batch["frames"][row, n], share * batch["motion"][row, 0])
            for n, share in enumerate((-0.5, 0.5))
        ]
        errors = [np.abs(frame - batch["targets"][row, 0]).max(-1) for frame in warped]
        assert np.median(np.minimum(*errors)) < 0.02


def test_the_order_of_clips_does_not_matter(images, batch):
    raw = {name: array[::-1] for name, array in _raw(images).items()}
    for name, array in jax.jit(MIXED)(raw).items():
        np.testing.assert_array_equal(array[::-1], batch[name])


def test_unsupported_collages_are_rejected(images):
    raw = {name: array[:1] for name, array in _raw(images).items()}
    with pytest.raises(ValueError, match="needs a batch larger than 1"):
        MIXED(raw)
    with pytest.raises(ValueError, match="collages need a model of 2 input frames"):
        dataclasses.replace(MIXED, contract=Contract(frames=2, times=(2.0,)))
    with pytest.raises(ValueError, match="collages must be in"):
        Augment(collages=2)


def _raw(images, sizes=SIZES[[0, 0, 0]]):
    """Four static clips, two of them of the same image."""
    which = [0, 1, 2, 0]
    frames = np.full((4, 1), 3, np.int32)
    return {
        "clips": np.repeat(images[which][:, None], 3, axis=1),
        "sizes": np.concatenate([frames, sizes[which]], axis=1),
        "seeds": np.arange(5, 9, dtype=np.uint32),
    }
