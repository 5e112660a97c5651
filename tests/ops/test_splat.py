import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from tests.ops import golden
from vfi_jax import ops

CASES = golden.portable_cases("softsplat")
MODES = {"sum": "sum", "avg": "average", "linear": "linear", "soft": "softmax"}
NORMALISES = {"addeps": "add_eps", "zeroeps": "zero_eps", "clipeps": "clip_eps"}


def splat(upstream, *, deterministic=False):
    """`forward_splat` for a mode by its upstream name, such as "soft-zeroeps"."""
    mode, _, normalise = upstream.partition("-")
    options = {"mode": MODES[mode], "normalise": NORMALISES[normalise or "addeps"]}

    def call(image, flow, metric=None):
        return ops.forward_splat(image, flow, metric=metric, deterministic=deterministic, **options)

    return call


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_portable_goldens(case):
    names = [name for name, _ in case["inputs"] if name != "cotangent"]
    golden.check_portable(case, splat(case["attrs"]["mode"]), names)


@pytest.mark.parametrize("name", support.smallest_file_quick("ops/softsplat"))
def test_full_goldens(name):
    arrays = support.full_case("ops/softsplat", name)
    modes = sorted({key.split("/")[0] for key in arrays if "/out" in key})

    @jax.jit
    def every_mode(arrays, cotangent):
        results = {}
        for mode in modes:
            inputs = {"input": arrays["input"], "flow": arrays["flow"]}
            if mode.split("-")[0] in ("linear", "soft"):
                inputs["metric"] = arrays[f"metric_{mode.split('-')[0]}"]
            out, pullback = jax.vjp(splat(mode), *inputs.values())
            gradients = zip(inputs, pullback(cotangent), strict=True)
            results[mode] = {"out": out, **{f"grad_{k}": g for k, g in gradients}}
        return results

    inputs = {k: golden.last(v) for k, v in arrays.items() if "/" not in k}
    results = every_mode(inputs, inputs["cotangent"])
    for mode, entries in results.items():
        for key, value in entries.items():
            support.assert_close(value, golden.last(arrays[f"{mode}/{key}"]))


@pytest.fixture(scope="module")
def scene():
    """An image of 5 channels and a flow whose targets all lie on a grid of 1/4 pixels."""
    rng = np.random.default_rng(0)
    image = rng.standard_normal((12, 16, 5)).astype(np.float32)
    return image, (rng.integers(-12, 12, (12, 16, 2)) / 4).astype(np.float32)


def test_splat_is_the_transpose_of_warp(scene):
    image, flow = scene
    other = image[::-1]
    left = jnp.vdot(ops.backward_warp(image, flow), other)
    right = jnp.vdot(image, ops.forward_splat(other, flow))
    np.testing.assert_allclose(left, right, rtol=1e-5)


@pytest.mark.parametrize("mode", ["sum", "softmax"])
def test_deterministic_sums_do_not_depend_on_their_order(scene, mode):
    image, flow = scene
    metric = None if mode == "sum" else 9 * image[..., :1]
    order = np.random.default_rng(1).permutation(flow.shape[0] * flow.shape[1])

    def reordered(array):
        return array.reshape(-1, array.shape[-1])[order].reshape(array.shape)

    # The same pixels flow to the same targets, each from another place.
    start = np.stack(np.meshgrid(np.arange(16), np.arange(12)), axis=-1).astype(np.float32)
    elsewhere = reordered(start + flow) - start
    mixed = None if metric is None else reordered(metric)

    def both(deterministic):
        options = {"mode": mode, "deterministic": deterministic}
        return (
            jax.jit(functools.partial(ops.forward_splat, **options))(image, flow, metric=metric),
            jax.jit(functools.partial(ops.forward_splat, **options))(
                reordered(image), elsewhere, metric=mixed
            ),
        )

    exact, plain = both(True), both(False)
    np.testing.assert_array_equal(*exact)
    assert (np.asarray(plain[0]) != np.asarray(plain[1])).any()  # so the order does matter
    np.testing.assert_allclose(exact[0], plain[0], atol=2e-6)


def test_deterministic_sums_are_the_same_bits_in_every_transformation(scene):
    splat = functools.partial(ops.forward_splat, deterministic=True)
    pair = [np.stack([array, array[::-1]]) for array in scene]
    expected = jax.jit(splat)(*pair)
    np.testing.assert_array_equal(splat(*scene), expected[0])
    np.testing.assert_array_equal(jax.jit(jax.vmap(splat))(*pair), expected)
    split = [array[:, None] for array in pair]
    np.testing.assert_array_equal(jax.pmap(splat)(*split)[:, 0], expected)


def test_deterministic_gradients_are_those_of_the_plain_sum(scene):
    def gradient(deterministic):
        def loss(image, flow):
            return jnp.square(ops.forward_splat(image, flow, deterministic=deterministic)).sum()

        return jax.jit(jax.grad(loss, argnums=(0, 1)))(*scene)

    for exact, plain in zip(gradient(True), gradient(False), strict=True):
        support.assert_close(exact, plain)


def test_deterministic_sums_handle_small_and_non_finite_values():
    image = jnp.array([1e30, 1e-20, 0.0, jnp.inf]).reshape(1, 4, 1)
    out = ops.forward_splat(image, jnp.zeros((1, 4, 2)), deterministic=True)[0, :, 0]
    np.testing.assert_allclose(out[:3], [1e30, 1e-20, 0], rtol=1e-6)
    assert jnp.isnan(out[3])


def test_a_large_metric_does_not_overflow():
    image = jnp.array([[[1.0], [3.0], [5.0]]])
    flow = jnp.zeros((1, 3, 2)).at[0, 1, 0].set(-1.0)
    metric = jnp.array([[[500.0], [500.0], [-400.0]]])
    out = ops.forward_splat(image, flow, mode="softmax", metric=metric)
    np.testing.assert_allclose(out[0, :2, 0], [2, 0], atol=1e-6)


@pytest.mark.parametrize(("normalise", "added"), [("zero_eps", -60), ("add_eps", 90)])
def test_gradients_do_not_depend_on_the_size_of_the_weights(scene, normalise, added):
    image, flow = scene
    metric = jnp.sin(5 * image[..., :1])

    def gradients(added):
        def loss(image, flow, metric):
            options = {"mode": "softmax", "normalise": normalise}
            return jnp.sum(ops.forward_splat(image, flow, metric=metric + added, **options) ** 2)

        return jax.grad(loss, (0, 1, 2))(image, flow, metric)

    for actual, desired in zip(gradients(added), gradients(0), strict=True):
        support.assert_close(actual, desired)


def test_holes_beside_heavy_pixels_have_finite_gradients():
    image, metric = jnp.ones((5, 5, 1)), jnp.full((5, 5, 1), 90.0)
    of_flow = jax.grad(
        lambda flow: ops.forward_splat(image, flow, mode="softmax", metric=metric).sum()
    )
    assert jnp.isfinite(of_flow(jnp.full((5, 5, 2), 2.0))).all()  # whole pixels: the rest is holes


def test_conflicting_options_are_reported(scene):
    image, flow = scene
    with pytest.raises(ValueError, match="metric is not used in mode 'average'"):
        ops.forward_splat(image, flow, mode="average", metric=image[..., :1])
    with pytest.raises(ValueError, match="mode 'softmax' needs a metric"):
        ops.forward_splat(image, flow, mode="softmax")
    with pytest.raises(ValueError, match="unknown mode 'softsplat'; did you mean softmax"):
        ops.forward_splat(image, flow, mode="softsplat")
    with pytest.raises(ValueError, match="unknown normalise"):
        ops.forward_splat(image, flow, normalise="none")


def test_reversal_of_a_shift_is_the_shift_back():
    flow = jnp.broadcast_to(jnp.array([1.0, 0.0]), (3, 4, 2))
    out = ops.flow_reversal(flow)
    np.testing.assert_array_equal(out[:, 0], 0)  # nothing landed
    np.testing.assert_array_equal(out[:, 1:], -flow[:, 1:])


def test_float64_coordinates_leave_sums_in_float32(scene):
    with jax.enable_x64(True):
        image, flow = scene[0], scene[1].astype(np.float64)
        plain = ops.forward_splat(image, flow)
        exact = ops.forward_splat(image, flow, deterministic=True)
    assert plain.dtype == exact.dtype == np.float32
    np.testing.assert_allclose(exact, plain, atol=2e-6)


def test_a_nan_metric_affects_only_its_target():
    image, flow = jnp.ones((3, 4, 1)), jnp.zeros((3, 4, 2))
    metric = jnp.zeros((3, 4, 1)).at[0, 1].set(jnp.nan)
    for normalise in ("add_eps", "zero_eps", "clip_eps"):
        options = {"mode": "softmax", "metric": metric, "normalise": normalise}
        out = ops.forward_splat(image, flow, **options)
        assert 1 <= int(jnp.isnan(out).sum()) <= 4
        dropped = ops.forward_splat(image, flow.at[0, 1].set(jnp.nan), **options)
        np.testing.assert_allclose(dropped, image.at[0, 1].set(0), rtol=1e-6)
