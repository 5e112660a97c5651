"""Measurement of drift by a slope."""

import numpy as np

from vfi_jax.drift import drift


def test_drift_is_the_slope_of_a_flow_about_the_centre():
    y, x = np.mgrid[:6, :9].astype(np.float32)
    flow = np.stack([5 - 0.25 * (x - 4), 0.5 * (y - 2.5) - 1], axis=-1)
    np.testing.assert_allclose(drift(flow), (-0.25, 0.5), rtol=1e-6)
    uniform = np.broadcast_to(np.float32([7, -3]), (2, 6, 9, 2))
    np.testing.assert_allclose(drift(uniform), np.zeros((2, 2)), atol=1e-6)


def test_drift_shows_what_unaligned_corners_do_to_a_static_pair():
    """Flow f for which sampling at p + f with align_corners=False gives the features back.

    f(x) = 1/2 - (x + 1/2) / W in pixels of the features, four times that in the frame's: two pixels
    inwards at either border, whatever W is.
    """
    for width in (24, 80, 320):
        inward = 0.5 - (np.arange(width, dtype=np.float32) + 0.5) / width
        flow = np.zeros((4, width, 2), np.float32)
        flow[..., 0] = inward
        slope, _ = drift(flow)
        np.testing.assert_allclose(4 * slope * width / 2, -2, rtol=1e-5)
