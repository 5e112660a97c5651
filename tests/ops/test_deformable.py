import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from tests import support
from tests.ops import golden
from vfi_jax import ops
from vfi_jax.ops import deformable

CASES = golden.portable_cases("dcn_v2")
NAMES = ("x", "offset", "mask", "weight", "bias")


def conv(stride, padding, dilation, deformable_groups):
    """`deformable_conv` with the kernel in the layout of `golden.last` (O H W I)."""

    def call(x, offset, mask, weight, bias):
        return ops.deformable_conv(
            x,
            offset,
            mask,
            jnp.moveaxis(weight, 0, -1),
            bias,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=deformable_groups,
        )

    return call


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_portable_goldens(case):
    golden.check_portable(case, conv(**case["attrs"]), NAMES)


@pytest.mark.parametrize("name", support.smallest_file_quick("ops/dcn_v2"))
def test_full_goldens(name):
    case = golden.attributes("dcn_v2", name)
    options = {k: case[k] for k in ("stride", "padding", "dilation", "deformable_groups")}
    golden.check_full("dcn_v2", name, conv(**options), ("input", *NAMES[1:]))


def test_zero_offsets_without_mask_are_a_convolution():
    keys = jax.random.split(jax.random.key(0), 2)
    x = jax.random.normal(keys[0], (2, 9, 8, 4))
    kernel = jax.random.normal(keys[1], (3, 3, 4, 5))
    dimensions = ("NHWC", "HWIO", "NHWC")
    desired = lax.conv_general_dilated(
        x, kernel, (2, 2), [(1, 1)] * 2, dimension_numbers=dimensions
    )
    offset = jnp.zeros((*desired.shape[:3], 18))
    out = jax.jit(functools.partial(ops.deformable_conv, stride=2))(x, offset, None, kernel)
    np.testing.assert_allclose(out, desired, atol=1e-5)


def test_rows_at_once_equal_chunks_of_rows():
    """What runs on a GPU against what runs here, with gradients."""
    keys = jax.random.split(jax.random.key(0), 5)
    shapes = (6, 7, 4), (6, 7, 36), (6, 7, 18), (36, 3), (6, 7, 3)
    *arrays, cotangent = (
        jax.random.normal(key, shape) for key, shape in zip(keys, shapes, strict=True)
    )
    geometry = deformable._Geometry(1, 1, 1, groups=2, height=3, width=3)
    for form, inputs in (
        (deformable._sums, arrays),
        (deformable._gradients, [*arrays, cotangent]),
    ):
        chunks, whole = (
            jax.jit(functools.partial(form, geometry, rows=rows))(*inputs) for rows in (2, 6)
        )
        for part, one in zip(jax.tree.leaves(chunks), jax.tree.leaves(whole), strict=True):
            np.testing.assert_allclose(part, one, atol=1e-5)


def test_nan_offsets_sample_zero():
    x, kernel = jnp.ones((4, 4, 2)), jnp.ones((3, 3, 2, 1))
    offset = jnp.full((4, 4, 18), jnp.nan).at[0].set(jnp.inf)
    np.testing.assert_array_equal(ops.deformable_conv(x, offset, None, kernel), 0)


def test_wrong_shapes_are_rejected():
    x, kernel = jnp.zeros((4, 6, 4)), jnp.zeros((3, 3, 4, 5))
    offset = jnp.zeros((4, 6, 18))
    with pytest.raises(ValueError, match=r"offset must be \(4, 6, 36\) to fit x and kernel"):
        ops.deformable_conv(x, offset, None, kernel, groups=2)
    with pytest.raises(ValueError, match=r"mask must be \(4, 6, 9\) to fit x and kernel"):
        ops.deformable_conv(x, offset, offset, kernel)
    with pytest.raises(ValueError, match="multiple of groups=3"):
        ops.deformable_conv(x, offset, None, kernel, groups=3)
    with pytest.raises(ValueError, match=r"bias must be \(5,\) to fit kernel"):
        ops.deformable_conv(x, offset, None, kernel, jnp.zeros(4))
