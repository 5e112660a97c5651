import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from tests.ops import golden
from vfi_jax import ops
from vfi_jax.ops import _separable

SEPARABLE = golden.portable_cases("sepconv")
WARP = golden.portable_cases("filter_interpolation")


@pytest.mark.parametrize("case", SEPARABLE, ids=[case["name"] for case in SEPARABLE])
def test_separable_conv_on_portable_goldens(case):
    golden.check_portable(case, ops.adaptive_separable_conv, ("x", "vertical", "horizontal"))


@pytest.mark.parametrize("name", support.smallest_file_quick("ops/sepconv"))
def test_separable_conv_on_full_goldens(name):
    names = ("input", "vertical", "horizontal")
    golden.check_full("sepconv", name, ops.adaptive_separable_conv, names)


@pytest.mark.parametrize("name", support.smallest_file_quick("ops/separable_conv"))
def test_separable_conv_on_memc_goldens(name):
    names = ("input1", "vertical", "horizontal")
    golden.check_full("separable_conv", name, ops.adaptive_separable_conv, names)


@pytest.mark.parametrize("case", WARP, ids=[case["name"] for case in WARP])
def test_warp_on_portable_goldens(case):
    golden.check_portable(case, ops.adaptive_warp, ("x", "flow", "kernel"))


@pytest.mark.parametrize("name", support.smallest_file_quick("ops/filter_interpolation"))
def test_warp_on_full_goldens(name):
    golden.check_full("filter_interpolation", name, ops.adaptive_warp, ("input1", "flow", "kernel"))


def test_products_equal_shifts():
    """The form of a GPU against that of a CPU, over several blocks of columns and rows."""
    key = jax.random.key(0)
    image = jax.random.normal(key, (12, 75, 3))
    vertical, horizontal = jax.random.normal(key, (2, 8, 71, 5))
    here = jax.jit(_separable._shifts)(image, vertical, horizontal)
    there = jax.jit(_separable._products)(image, vertical, horizontal)
    np.testing.assert_allclose(here, there, atol=1e-4)


def test_warp_copies_pixels_where_the_flow_is_nan():
    image = jax.random.normal(jax.random.key(0), (4, 6, 3))
    flow = jnp.full((4, 6, 2), jnp.nan).at[0].set(jnp.inf)
    kernel = jnp.ones((4, 6, 16))
    out, pullback = jax.vjp(jax.jit(ops.adaptive_warp), image, flow, kernel)
    np.testing.assert_array_equal(out, image)
    to_image, to_flow, to_kernel = pullback(out)
    np.testing.assert_array_equal(to_image, image)
    assert not to_flow.any()
    assert not to_kernel.any()


@pytest.mark.parametrize("dilation", [1, 2])
def test_flow_conv_is_a_weighted_sum_of_warps(dilation):
    """Values and gradients, against one backward_warp a tap."""
    keys = jax.random.split(jax.random.key(0), 4)
    image = jax.random.normal(keys[0], (5, 7, 3))
    weight = jax.random.normal(keys[1], (5, 7, 9))
    offset = 1.5 * jax.random.normal(keys[2], (5, 7, 18))

    def warps(image, weight, offset):
        out = 0.0
        for tap in range(9):
            flow = offset[..., 2 * tap : 2 * tap + 2][..., ::-1]
            flow += dilation * jnp.asarray([tap % 3 - 1, tap // 3 - 1])
            warped = ops.backward_warp(image, flow, padding="border")
            out += weight[..., tap, None] * warped
        return out

    conv = functools.partial(ops.adaptive_flow_conv, dilation=dilation)
    arrays = {"image": image, "weight": weight, "offset": offset}
    arrays["cotangent"] = jax.random.normal(keys[3], image.shape)
    for actual, desired in zip(*map(_leaves, (conv, warps), (arrays,) * 2), strict=True):
        np.testing.assert_allclose(actual, desired, atol=1e-4)


def test_wrong_shapes_are_rejected():
    image, flow = jnp.zeros((4, 6, 3)), jnp.zeros((4, 6, 2))
    with pytest.raises(ValueError, match=r"flow must be \(4, 6, 2\) to fit image"):
        ops.adaptive_warp(image, flow[:3], jnp.zeros((4, 6, 16)))
    with pytest.raises(ValueError, match=r"kernel must be \(4, 6, 9\) to fit image"):
        ops.adaptive_warp(image, flow, jnp.zeros((4, 6, 15)))
    with pytest.raises(ValueError, match=r"image must be \(6, 8, 3\) to fit kernels of 3 taps"):
        ops.adaptive_separable_conv(image, jnp.zeros((4, 6, 3)), jnp.zeros((4, 6, 3)))
    with pytest.raises(ValueError, match="K odd"):
        ops.adaptive_flow_conv(image, jnp.zeros((4, 6, 4)), jnp.zeros((4, 6, 8)))


def _leaves(function, arrays):
    names = ("image", "weight", "offset")

    @jax.jit
    def both(inputs, cotangent):
        out, pullback = jax.vjp(function, *inputs)
        return out, pullback(cotangent)

    return jax.tree.leaves(both([arrays[name] for name in names], arrays["cotangent"]))
