"""Tests of every metric: equal images are best, examples are scored separately."""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vfi_jax import metrics

HEADS = {"a": np.float32([1, 2, 0.5])}


def _distance(image, reference):
    return metrics.lpips(image, reference, lambda x: {"a": x + 0.1}, HEADS)


def _still(frame0, frame1):
    return metrics.warping_error(frame0, frame1, np.zeros((*frame0.shape[:-1], 2), np.float32))


def _flows(image, reference):
    return metrics.flow_difference(image[..., :2], reference[..., :2])


def _enlarged_vif(image, reference):
    """VIF's four scales need 41 pixels on a side."""
    return metrics.vif(*(jnp.kron(x, np.ones((3, 4, 1), np.float32)) for x in (image, reference)))


# Function of two images, value for equal images, and whether the order matters.
COMPARISONS = {
    "psnr": (metrics.psnr, np.inf, False),
    "ssim": (metrics.ssim, 1, False),
    "haarpsi": (metrics.haarpsi, 1, False),
    "gmsd": (metrics.gmsd, 0, False),
    "vif": (_enlarged_vif, 1, True),
    "interpolation_error": (metrics.interpolation_error, 0, False),
    "normalised_interpolation_error": (metrics.normalised_interpolation_error, 0, True),
    "lpips": (_distance, 0, False),
    "warping_error": (_still, 0, False),
    "flow_difference": (_flows, 0, False),
}
OTHERS = {"luma", "motion_smoothness"}  # what metrics look at; of a whole clip
each = pytest.mark.parametrize("name", COMPARISONS)


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return np.float32(rng.random((2, 2, 3, 14, 13, 3)))


def test_every_metric_is_tested():
    assert set(metrics.__all__) == set(COMPARISONS) | OTHERS


@pytest.mark.parametrize("name", metrics.__all__)
def test_docstrings_state_arguments_and_source(name):
    text = inspect.getdoc(getattr(metrics, name))
    assert all(part in text for part in ("Args:", "Returns:", "Raises:", "Source:"))


@each
def test_equal_images_are_best_and_others_worse(name, images):
    metric, best, _ = COMPARISONS[name]
    image, reference = images[:, 0, 0]
    np.testing.assert_allclose(metric(image, image), best, atol=1e-6)
    far, near = metric(image, reference), metric(0.9 * image + 0.1 * reference, image)
    assert (near > far) == (best > 0)


@each
def test_symmetry_is_as_declared(name, images):
    metric, _, ordered = COMPARISONS[name]
    image, reference = images[:, 0, 0]
    ways = metric(image, reference), metric(reference, image)
    assert np.allclose(*ways, rtol=1e-5) != ordered


@each
def test_examples_are_scored_separately(name, images):
    metric = jax.jit(COMPARISONS[name][0])
    together = metric(*images)
    assert together.shape == (2, 3)
    assert together.dtype == np.float32
    alone = metric(images[0, 1, 2], images[1, 1, 2])
    assert alone.shape == ()
    # Sums run in another order.
    np.testing.assert_allclose(together[1, 2], alone, rtol=1e-5)


@each
def test_different_shapes_are_rejected(name, images):
    with pytest.raises(ValueError, match="image must have reference's shape"):
        COMPARISONS[name][0](images[0, 0, 0], images[1, 0, 0, :-1])


def test_a_shift_explained_by_the_flow_has_no_warping_error(images):
    frame0 = images[0, 0, 0]
    frame1 = np.roll(frame0, 2, axis=1)
    flow = np.zeros((*frame0.shape[:-1], 2), np.float32)
    flow[..., 0] = 2
    seen = np.ones((*frame0.shape[:-1], 1), np.float32)
    seen[:, -2:] = 0  # rolled to the other side
    error = functools.partial(metrics.warping_error, frame0, frame1)
    assert error(flow, mask=seen) == 0
    assert error(flow) > 0
    assert error(0 * flow, mask=seen) > 0
    assert error(flow, mask=0 * seen) == 0
    np.testing.assert_allclose(
        error(0 * flow, convention="absolute"), np.abs(frame1 - frame0).mean(), rtol=1e-6
    )
    with pytest.raises(ValueError, match="convention must be one of"):
        error(flow, convention="rms")


def test_flows_that_differ_by_a_3_4_vector_are_5_pixels_apart():
    flow = np.zeros((4, 5, 2), np.float32)
    assert metrics.flow_difference(flow + np.float32([3, 4]), flow) == 5
