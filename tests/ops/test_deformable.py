import jax.numpy as jnp
import pytest

from tests import support
from tests.ops import golden
from vfi_jax import ops

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


@pytest.mark.parametrize("name", support.full_names("ops/dcn_v2"))
def test_full_goldens(name):
    case = golden.attributes("dcn_v2", name)
    options = {k: case[k] for k in ("stride", "padding", "dilation", "deformable_groups")}
    golden.check_full("dcn_v2", name, conv(**options), ("input", *NAMES[1:]))
