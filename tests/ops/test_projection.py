import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from tests.ops import golden
from vfi_jax import ops
from vfi_jax.ops import projection as projection_module

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


def test_holes_take_the_mean_of_the_nearest_pixels():
    flow = jnp.array([[0, 1, 0], [3, 0, 5], [0, 7, 0]], jnp.float32)[..., None]
    valid = flow > 0
    filled = ops.fill_holes(flow, valid)[..., 0]
    np.testing.assert_array_equal(filled, [[2, 1, 3], [3, 4, 5], [5, 7, 6]])
    filled = ops.fill_holes(flow, valid, fill_from=("left",))[..., 0]
    np.testing.assert_array_equal(filled, [[0, 1, 1], [3, 3, 5], [0, 7, 7]])


def test_both_implementations_of_the_nearest_search_agree():
    known = np.random.default_rng(0).random((7, 9)) < 0.2
    for axis in (0, 1):
        for reverse in (False, True):
            options = {"axis": axis, "reverse": reverse}
            by_line = projection_module._nearest_by_line(known, **options)
            at_once = projection_module._nearest_at_once(known, **options)
            np.testing.assert_array_equal(by_line, at_once)


def test_gradients_do_not_depend_on_the_size_of_the_weights():
    flow, weight = jnp.split(np.random.default_rng(0).uniform(0.5, 1.5, (6, 7, 3)), [2], axis=-1)

    def gradient(size):
        def loss(flow):
            return jnp.sum(jnp.sin(ops.depth_flow_projection(flow, size * weight)))

        return jax.grad(loss)(flow)

    support.assert_close(gradient(1e-25), gradient(1))


def test_an_unknown_direction_is_named():
    with pytest.raises(ValueError, match="unknown direction 'top'"):
        ops.fill_holes(jnp.zeros((2, 2, 2)), jnp.ones((2, 2, 1)), fill_from=("top",))
