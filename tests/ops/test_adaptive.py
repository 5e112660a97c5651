import pytest

from tests import support
from tests.ops import golden
from vfi_jax import ops

SEPARABLE = golden.portable_cases("sepconv")
WARP = golden.portable_cases("filter_interpolation")


@pytest.mark.parametrize("case", SEPARABLE, ids=[case["name"] for case in SEPARABLE])
def test_separable_conv_on_portable_goldens(case):
    golden.check_portable(case, ops.adaptive_separable_conv, ("x", "vertical", "horizontal"))


@pytest.mark.parametrize("name", support.full_names("ops/sepconv"))
def test_separable_conv_on_full_goldens(name):
    golden.check_full(
        "sepconv", name, ops.adaptive_separable_conv, ("input", "vertical", "horizontal")
    )


@pytest.mark.parametrize("name", support.full_names("ops/separable_conv"))
def test_separable_conv_on_memc_goldens(name):
    golden.check_full(
        "separable_conv", name, ops.adaptive_separable_conv, ("input1", "vertical", "horizontal")
    )


@pytest.mark.parametrize("case", WARP, ids=[case["name"] for case in WARP])
def test_warp_on_portable_goldens(case):
    golden.check_portable(case, ops.adaptive_warp, ("x", "flow", "kernel"))


@pytest.mark.parametrize("name", support.full_names("ops/filter_interpolation"))
def test_warp_on_full_goldens(name):
    golden.check_full("filter_interpolation", name, ops.adaptive_warp, ("input1", "flow", "kernel"))
