import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from tests.ops import golden
from vfi_jax import ops

CASES = golden.portable_cases("imresize_np")
SHAPES = [((6, 5), (12, 10)), ((6, 5), (7, 11)), ((9, 8), (3, 5)), ((1, 4), (3, 1))]


imresize = jax.jit(ops.imresize, static_argnums=1)
resize_bilinear = jax.jit(ops.resize_bilinear, static_argnums=1)


def test_half_pixel_centres():
    line = jnp.asarray([0.0, 1.0]).reshape(1, 2, 1)
    np.testing.assert_allclose(ops.resize_bilinear(line, (1, 4)).ravel(), [0, 0.25, 0.75, 1])


def test_corners_stay_corners():
    line = jnp.asarray([0.0, 3.0]).reshape(1, 2, 1)
    out = ops.resize_bilinear(line, (1, 4), align_corners=True)
    np.testing.assert_allclose(out.ravel(), [0, 1, 2, 3], rtol=1e-6)


@pytest.mark.parametrize(("size", "shape"), SHAPES)
def test_bilinear_agrees_with_jax(size, shape):
    x = jax.random.normal(jax.random.key(0), (2, *size, 3))
    desired = jax.image.resize(x, (2, *shape, 3), "linear", antialias=False)
    np.testing.assert_allclose(resize_bilinear(x, shape), desired, atol=1e-5)


@pytest.mark.parametrize(
    "resize",
    [
        lambda x: ops.resize_bilinear(x, (12, 4)),
        lambda x: ops.resize_bilinear(x, (3, 15), align_corners=True),
        lambda x: ops.imresize(x, 0.4),
        lambda x: ops.imresize(x, 2.5),
    ],
)
def test_gradients_are_the_transpose(resize):
    x = jax.random.normal(jax.random.key(0), (6, 7, 2))
    out, pullback = jax.vjp(jax.jit(resize), x)
    cotangent = jax.random.normal(jax.random.key(1), out.shape)
    left, right = jnp.vdot(out, cotangent), jnp.vdot(x, pullback(cotangent)[0])
    np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-5)  # they may cancel


def test_flow_is_in_pixels_of_its_new_size():
    flow = jnp.broadcast_to(jnp.asarray([1.0, -2.0]), (4, 6, 2))
    out = ops.resize_flow(flow, (8, 9))
    np.testing.assert_allclose(out, np.broadcast_to([1.5, -4.0], (8, 9, 2)), rtol=1e-6)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_imresize_portable_goldens(case):
    image = jnp.asarray(golden.portable_inputs(case)["img"], jnp.float32)
    out = imresize(image, case["attrs"]["scale"])
    support.assert_samples(out, {**case["outputs"]["out"], "layout": "as is"}, tolerance=1e-5)


@pytest.mark.parametrize("name", support.smallest_file_quick("ops/imresize_np"))
def test_imresize_full_goldens(name):
    case = support.full_case("ops/imresize_np", name)
    out = imresize(jnp.asarray(case["img"], jnp.float32), float(case["scale"]))
    support.assert_close(out, case["out"], 1e-5)
    if "png" in case:
        rounded = np.clip(np.round(out), 0, 255).astype(np.uint8)
        np.testing.assert_array_equal(rounded, case["png"])


def test_an_image_smaller_than_the_kernel_is_mirrored_repeatedly():
    out = ops.imresize(jnp.ones((4, 4, 1)), 1 / 4)
    np.testing.assert_allclose(out, np.ones((1, 1, 1)), rtol=1e-6)


def test_wrong_arguments_are_rejected():
    x = jnp.zeros((4, 4, 1))
    with pytest.raises(ValueError, match=r"height of shape must be .* at least 1, got 0"):
        ops.resize_bilinear(x, (0, 4))
    with pytest.raises(ValueError, match="scale must be positive, got -1"):
        ops.imresize(x, -1)
    with pytest.raises(ValueError, match="flow must be"):
        ops.resize_flow(x, (2, 2))
    with pytest.raises(ValueError, match="astype"):
        ops.imresize(x.astype(jnp.uint8), 2)
