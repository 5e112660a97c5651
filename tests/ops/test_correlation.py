import pytest

from tests import support
from tests.ops import golden
from vfi_jax import ops

CASES = golden.portable_cases("correlation")


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_portable_goldens(case):
    radius = case["attrs"]["max_displacement"]
    golden.check_portable(case, lambda a, b: ops.cost_volume(a, b, radius=radius), ("a", "b"))


@pytest.mark.parametrize("name", support.full_names("ops/correlation"))
def test_full_goldens(name):
    radius = golden.attributes("correlation", name)["attrs"]["max_displacement"]
    golden.check_full(
        "correlation",
        name,
        lambda a, b: ops.cost_volume(a, b, radius=radius),
        ("input1", "input2"),
    )
