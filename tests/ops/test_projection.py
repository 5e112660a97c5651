import functools

import numpy as np
import pytest

from tests import support
from tests.ops import golden
from vfi_jax import ops

DAIN, MEMC, DEPTH = "flow_projection", "flow_projection_memc", "depth_flow_projection"


def projection(group, fill):
    """The op of a golden group, and the names of its inputs."""
    if group == DEPTH:
        return functools.partial(ops.depth_flow_projection, fill_holes=fill), ("flow", "depth_inv")
    sides = ("left", "right", "up") if group == MEMC else ("left", "right", "up", "down")
    return functools.partial(ops.flow_projection, fill_holes=fill, fill_from=sides), ("flow",)


def by_shape(group):
    """Full cases of equal shape and mode, stacked: (fill, arrays) of each set."""
    sets = {}
    for name in support.full_names(f"ops/{group}"):
        arrays = support.full_case(f"ops/{group}", name)
        fill = golden.attributes(group, name)["attrs"]["fillhole"]
        sets.setdefault((fill, arrays["flow"].shape), []).append(arrays)
    for (fill, _), cases in sets.items():
        keys = set.intersection(*(set(case) for case in cases))
        yield fill, {key: np.concatenate([case[key] for case in cases]) for key in keys}


@pytest.mark.parametrize("group", [DAIN, MEMC, DEPTH])
def test_portable_goldens(group):
    for case in golden.portable_cases("flow_projection_dain" if group == DAIN else group):
        function, names = projection(group, case["attrs"]["fill"])
        golden.check_portable(case, function, names)


@pytest.mark.parametrize("group", [DAIN, MEMC, DEPTH])
def test_full_goldens(group):
    for fill, arrays in by_shape(group):
        function, names = projection(group, fill)
        out, gradients = golden.run(function, arrays, names)
        support.assert_close(out, golden.last(arrays["out"]))
        for key, gradient in gradients.items():
            support.assert_close(gradient, golden.last(arrays[f"truegrad_{key}"]))
