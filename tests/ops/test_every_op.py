"""Tests of every op, on the examples of tests/ops/examples.py."""

import doctest
import functools
import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from tests.ops import examples
from vfi_jax import lookup, ops
from vfi_jax.ops import kernels

NAMES = sorted(examples.EXAMPLES)
WITH_FLOW = [name for name in NAMES if "flow" in examples.kinds(name).values()]
HALVING = ("gaussian_pyramid", "laplacian_pyramid", "reconstruct_laplacian")
FLAT = ("inside", "occlusion_mask")  # 0 or 1: no gradient
OF_ANY_SIZE = (("all_pairs_correlation", "features1"), ("correlate_around", "features1"))
OWN_VALUE = ("forward_backward_error", "resize_flow")  # NaN flow gives NaN


def test_every_op_is_tested():
    assert set(NAMES) == set(ops.__all__) - {"backend"}


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_example_is_correct(name):
    known = {"jnp": jnp, "ops": ops}
    example = doctest.DocTestParser().get_doctest(
        getattr(ops, name).__doc__, known, name, filename=None, lineno=None
    )
    assert example.examples
    report = []
    assert not doctest.DocTestRunner().run(example, out=report.append).failed, "".join(report)


@pytest.mark.parametrize("name", NAMES)
def test_leading_axes_vmap_and_narrow_images(name):
    call = examples.call(name)
    axes = {key: None if kind == "shared" else 0 for key, kind in examples.kinds(name).items()}
    pair = examples.arrays(name, lead=(2,))
    sizes = ((7, 1), (1, 6), (1, 1)) if name not in HALVING else ((3, 4), (4, 3), (3, 3))
    narrow = [examples.arrays(name, size=size) for size in sizes]

    def every_way(pair, narrow):
        return {
            "single": call(_each(lambda a: a[1], pair, axes)),
            "pair": call(pair),
            "nested": call(_each(lambda a: a[None], pair, axes)),
            "mapped": jax.vmap(call, in_axes=(axes,))(pair),
            "none": call(_each(lambda a: a[:0], pair, axes)),
            "narrow": [call(arrays) for arrays in narrow],
        }

    out = jax.jit(every_way)(pair, narrow)
    expected = out["pair"]
    _assert_close(out["single"], jax.tree.map(lambda a: a[1], expected))
    _assert_close(out["nested"], jax.tree.map(lambda a: a[None], expected))
    _assert_close(out["mapped"], expected)
    assert _shapes(out["none"]) == _shapes(jax.tree.map(lambda a: a[:0], expected))
    assert _finite(out["narrow"])


@pytest.mark.parametrize("name", NAMES)
def test_gradients_equal_finite_differences(name):
    if name in FLAT:
        pytest.skip("without gradient")
    call, arrays = examples.call(name), examples.arrays(name)
    directions = examples.arrays(name, seed=1)
    if name == "fill_holes":
        directions["valid"] *= 0  # the set of holes is not differentiable
    step = 1e-2  # small against the distance of all flows to a whole pixel

    @jax.jit
    def both_ways(arrays, directions):
        def along(t):
            return call(jax.tree.map(lambda a, d: a + t * d, arrays, directions))

        out, pullback = jax.vjp(call, arrays)
        cotangent = jax.tree.map(lambda a: jnp.cos(jnp.arange(a.size)).reshape(a.shape), out)
        (gradient,) = pullback(cotangent)
        slope = jax.tree.map(lambda a, b: (a - b) / (2 * step), along(step), along(-step))
        return _dot(gradient, directions), _dot(cotangent, slope), gradient

    through, across, gradient = both_ways(arrays, directions)
    assert _finite(gradient)
    np.testing.assert_allclose(through, across, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(
    "name", [name for name in NAMES if "image" in examples.kinds(name).values()]
)
def test_bfloat16_images_are_supported(name):
    call, arrays = jax.jit(examples.call(name)), examples.arrays(name)
    half = {
        key: jax.tree.map(lambda a: jnp.asarray(a, jnp.bfloat16), value)
        for key, value in arrays.items()
        if examples.kinds(name)[key] == "image"
    }
    rounded = jax.tree.map(lambda a: a.astype(jnp.float32), half)
    out, exact = call({**arrays, **half}), call({**arrays, **rounded})
    for here, there in zip(jax.tree.leaves(out), jax.tree.leaves(exact), strict=True):
        assert here.dtype == jnp.bfloat16
        bound = 2**-7 * max(1, np.abs(there).max())  # bfloat16 has 8 bits
        np.testing.assert_allclose(np.asarray(here, np.float32), there, atol=bound)


@pytest.mark.parametrize("name", [name for name in WITH_FLOW if name not in OWN_VALUE])
def test_any_flow_gives_finite_results(name):
    call, arrays = examples.call(name), examples.arrays(name, size=(6, 6))
    odd = np.float32([0, 2, -3, 1e4, -1e30, np.inf, -np.inf, np.nan, 0.5, np.nan, -0.0])
    flows = [key for key, kind in examples.kinds(name).items() if kind == "flow"]
    strange = {key: np.resize(odd, arrays[key].shape) for key in flows}

    @jax.jit
    def both(arrays):
        out, pullback = jax.vjp(call, arrays)
        return out, pullback(jax.tree.map(jnp.ones_like, out))

    out, gradient = both({**arrays, **strange})
    assert _finite(out)
    assert _finite(gradient)


@pytest.mark.parametrize("name", NAMES)
def test_empty_images_are_rejected(name):
    call, arrays = examples.call(name), examples.arrays(name)
    kinds = examples.kinds(name)
    empty = {
        key: value if kinds[key] == "shared" else jax.tree.map(lambda a: a[..., :0, :, :], value)
        for key, value in arrays.items()
    }
    with pytest.raises(ValueError, match="at least one pixel"):
        jax.eval_shape(call, empty)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_types_and_shapes_are_reported(name):
    call, arrays, kinds = examples.call(name), examples.arrays(name), examples.kinds(name)
    for key in (key for key in arrays if kinds[key] != "shared" and key != "valid"):
        if name not in ("pixel_shuffle", "pixel_unshuffle"):  # move any type about
            whole = jax.tree.map(lambda a: a.astype(np.int32), arrays[key])
            with pytest.raises(ValueError, match=rf"\b{key}\b.* got int32"):
                jax.eval_shape(call, {**arrays, key: whole})
        with pytest.raises(ValueError, match=rf"\b{key}\b"):
            jax.eval_shape(call, {**arrays, key: jax.tree.map(lambda a: a[0, 0], arrays[key])})
    for key in list(arrays)[1:]:
        if kinds[key] != "shared" and (name, key) not in OF_ANY_SIZE:
            with pytest.raises(ValueError, match=r"must be \(.* to fit .* got \("):
                jax.eval_shape(call, {**arrays, key: jax.tree.map(lambda a: a[1:], arrays[key])})


@pytest.fixture(scope="module")
def batch():
    """Eight examples of every op, their batch axes, and the results."""
    axes = {name: _axes(name) for name in NAMES}
    arrays = {name: examples.arrays(name, lead=(8,)) for name in NAMES}
    return arrays, axes, jax.jit(_every_op)(arrays)


@pytest.mark.slow
def test_pmap_gives_the_same(batch):
    arrays, axes, expected = batch
    apart = jax.tree.map(
        lambda axis, value: value if axis is None else jax.tree.map(lambda a: a[:, None], value),
        axes,
        arrays,
        is_leaf=lambda value: value is None,
    )
    out = jax.pmap(_every_op, in_axes=(axes,))(apart)
    _assert_close(jax.tree.map(lambda a: a[:, 0], out), expected)


@pytest.mark.slow
def test_shard_map_gives_the_same(batch):
    arrays, _, expected = batch
    mesh = Mesh(np.array(jax.devices()), "data")
    function = jax.shard_map(
        _every_op, mesh=mesh, in_specs=(_partition(),), out_specs=PartitionSpec("data")
    )
    _assert_close(jax.jit(function)(arrays), expected)


@pytest.mark.slow
def test_shard_map_gives_the_same_gradients():
    """Also of what all devices share: the first of an op's arrays, and kernels."""
    mesh = Mesh(np.array(jax.devices()), "data")
    names = [name for name in NAMES if name not in FLAT and len(examples.kinds(name)) > 1]
    arrays, partition = {}, _partition()
    for name in names:
        arrays[name] = examples.arrays(name, lead=(8,))
        first = next(key for key, kind in examples.kinds(name).items() if kind != "shared")
        arrays[name][first] = jax.tree.map(lambda a: a[:1], arrays[name][first])
        partition[name][first] = PartitionSpec()
    partition = {name: partition[name] for name in names}

    def gradients(arrays):
        return jax.grad(lambda arrays: sum(_waved(name, arrays[name]) for name in names))(arrays)

    apart = jax.shard_map(gradients, mesh=mesh, in_specs=(partition,), out_specs=partition)
    _assert_close(jax.jit(apart)(arrays), jax.jit(gradients)(arrays))


@pytest.mark.slow
def test_a_batch_over_devices_needs_no_communication(batch):
    arrays, _, expected = batch
    mesh = Mesh(np.array(jax.devices()), "data")
    sharding = jax.tree.map(functools.partial(NamedSharding, mesh), _partition())
    function = jax.jit(_every_op, in_shardings=(sharding,))
    compiled = function.lower(arrays).compile()
    text = compiled.as_text()
    for collective in ("all-gather", "all-reduce", "all-to-all", "collective-permute"):
        assert collective not in text
    _assert_close(compiled(jax.device_put(arrays, sharding)), expected)


@pytest.mark.parametrize("name", lookup.modules(kernels.__name__))
def test_the_kernel_agrees_and_lowers_for_the_platforms_it_names(name):
    def with_gradients(arrays):
        out, pullback = jax.vjp(examples.call(name), arrays)
        return out, pullback(jax.tree.map(jnp.cos, out))

    arrays = examples.arrays(name, lead=(2,))
    expected = jax.jit(with_gradients)(arrays)
    with ops.backend("pallas"):
        _assert_close(jax.jit(with_gradients)(arrays), expected)
        traced = jax.jit(with_gradients).trace(arrays)
    module = importlib.import_module(f"{kernels.__name__}.{name}")
    assert set(module.DEFAULT_ON) <= set(module.PLATFORMS)
    for platform in module.PLATFORMS:
        assert "custom_call" in traced.lower(lowering_platforms=(platform,)).as_text()


def _waved(name, arrays):
    """A sum of an op's output in which every element of an example weighs differently."""
    kinds = examples.kinds(name)
    images = {key: value for key, value in arrays.items() if kinds[key] != "shared"}
    most = max(len(leaf) for leaf in jax.tree.leaves(images))
    copies = jax.tree.map(lambda a: jnp.repeat(a, most // len(a), axis=0), images)
    out = examples.call(name)({**arrays, **copies})
    weights = jax.tree.map(lambda a: jnp.cos(jnp.arange(a[0].size)).reshape(a.shape[1:]), out)
    return sum(jnp.sum(a * w) for a, w in zip(*map(jax.tree.leaves, (out, weights)), strict=True))


def _every_op(arrays):
    return {name: examples.call(name)(arrays[name]) for name in NAMES}


def _axes(name):
    return {key: None if kind == "shared" else 0 for key, kind in examples.kinds(name).items()}


def _partition():
    def spec(kind):
        return PartitionSpec() if kind == "shared" else PartitionSpec("data")

    return {name: {k: spec(v) for k, v in examples.kinds(name).items()} for name in NAMES}


def _each(function, arrays, axes):
    return {
        key: value if axes[key] is None else jax.tree.map(function, value)
        for key, value in arrays.items()
    }


def _assert_close(actual, expected):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5), actual, expected
    )


def _finite(tree):
    return all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(tree))


def _shapes(tree):
    return [leaf.shape for leaf in jax.tree.leaves(tree)]


def _dot(left, right):
    return sum(jax.tree.leaves(jax.tree.map(lambda a, b: (a * b).sum(), left, right)))
