"""Flows and depths as pictures."""

import numpy as np
import pytest

from vfi_jax import draw


def test_the_wheel_is_middleburys():
    wheel = draw.colour_wheel()
    assert wheel.shape == (55, 3)
    np.testing.assert_array_equal(wheel[[0, 15, 21, 25, 36, 49]], 255 * np.array(
        [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1]]
    ))  # fmt: skip
    # 255 - floor(255 * 1 / 6) red on the way from yellow to green; floor(255 / 15) green before.
    np.testing.assert_array_equal(wheel[[1, 16]], [[255, 17, 0], [213, 255, 0]])


def test_direction_is_hue_and_length_is_strength():
    flow = np.array([[[0, 0], [4, 0], [2, 0], [-4, 0], [0, 4], [np.nan, 0]]], np.float32)
    rest, right, half, left, down, unknown = draw.flow_colours(flow)[0].astype(int)
    np.testing.assert_array_equal(rest, 255)
    np.testing.assert_array_equal(right, [255, 0, 0])
    np.testing.assert_array_equal(half, [255, 127, 127])
    assert left[0] == 0  # cyan to blue
    assert left[2] == 255
    assert down.argmin() == 2  # yellow
    np.testing.assert_array_equal(unknown, 0)


def test_longer_flows_than_the_largest_are_darker():
    flow = np.array([[[4, 0]]], np.float32)
    np.testing.assert_array_equal(draw.flow_colours(flow, largest=2)[0, 0], [191, 0, 0])
    np.testing.assert_array_equal(draw.flow_colours(0 * flow), 255)
    with pytest.raises(ValueError, match="largest must be positive, got 0"):
        draw.flow_colours(flow, largest=0)


def test_twice_the_depth_is_half_as_bright():
    greys = draw.depth_greys(np.array([[[2.0], [4.0], [np.inf]]]))
    assert greys.dtype == np.uint16
    np.testing.assert_array_equal(greys[0, :, 0], [65535, 32768, 0])
