"""Matches against known motion."""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import pytest

from vfi_jax import matching, registry, weights
from vfi_jax.contract import Contract
from vfi_jax.data.builders import moving_textures


class Shift(nn.Module):
    """A model with known result: both frames shifted to the midpoint and averaged."""

    motion: tuple[int, int]  # (x, y), even

    @property
    def contract(self):
        return Contract(frames=2, times=(0.5,), multiple=4)

    def __call__(self, frames, times, *, targets=None, train=False):
        x, y = (n // 2 for n in self.motion)
        return {
            "frames": (
                jnp.roll(frames[:, :1], (y, x), (2, 3)) * 0.6
                + jnp.roll(frames[:, 1:], (-y, -x), (2, 3)) * 0.4
            )
        }


def test_matches_are_where_the_pixel_came_from():
    frame = np.zeros((17, 22, 3), np.float32)
    points = [[5, 6], [15, 9], [9, 12]]
    model = Shift((6, -4))
    found = matching.match(model, {}, frame, frame, points=points, reach=4, ensemble="none")
    np.testing.assert_allclose(found.points0, np.subtract(points, (3, -2)), atol=1e-5)
    np.testing.assert_allclose(found.points1, np.add(points, (3, -2)), atol=1e-5)
    np.testing.assert_allclose(found.confidence, 1, rtol=1e-5)


def test_matching_points_together_or_separately_gives_the_same_result():
    frame = np.zeros((20, 24, 3), np.float32)
    together = matching.match(Shift((4, 2)), {}, frame, frame, grid=4, reach=3, ensemble="none")
    assert len(together.points) == 30
    shift, points = Shift((4, 2)), together.points
    one_by_one = matching.match(shift, {}, frame, frame, points=points, reach=24, ensemble="none")
    inside = (abs(together.points - (11.5, 9.5)) < (10, 8)).all(axis=1)  # rolling wraps around
    for many, single in zip(together, one_by_one, strict=True):
        np.testing.assert_allclose(many[inside], single[inside], atol=1e-5)


def test_invalid_matching_inputs_are_rejected():
    frame = np.zeros((8, 8, 3), np.float32)
    with pytest.raises(ValueError, match="inside 8 x 8"):
        matching.match(Shift((2, 2)), {}, frame, frame, points=[[3, 8]])
    with pytest.raises(ValueError, match="frames must have one shape"):
        matching.match(Shift((2, 2)), {}, frame, frame[:4])
    with pytest.raises(ValueError, match="must predict the middle"):
        matching.match(registry.create("voxel_flow/extrapolation"), {}, frame, frame)


@pytest.fixture(scope="module")
def shipped():
    """Median end-point error of the more confident half of matches, and of zero motion.

    Shifts are uniform in +-8 pixels.
    """
    model, variables = weights.load("mind/small")
    errors, zeros = [], []
    for seed in range(6):
        scene = moving_textures.render(3_000_000 + seed, (64, 64), reach=8.0)
        found = matching.match(model, variables, scene.frames[0], scene.frames[2], grid=6, reach=8)
        inside = (abs(found.points - 31.5) < 26).all(axis=1)  # what moves out has no match
        x, y = found.points[inside].T
        motion = scene.motion[y, x]
        sure = found.confidence[inside] >= np.median(found.confidence[inside])
        error = np.hypot(*((found.points1 - found.points0)[inside] - motion).T)
        errors.append(error[sure])
        zeros.append(np.hypot(*motion.T)[sure])
    median, zero_match = np.median(np.concatenate(errors)), np.median(np.concatenate(zeros))
    print(f"median end-point error {median:.2f} px, zero-match baseline {zero_match:.2f} px")
    return median, zero_match


@pytest.mark.slow
def test_the_included_network_finds_known_motions(shipped):
    median, zero_match = shipped
    assert zero_match > 4
    assert median < 1.5
