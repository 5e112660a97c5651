import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from tests.ops import golden
from vfi_jax import ops
from vfi_jax.ops import correlation

CASES = golden.portable_cases("correlation")
cost_volume = jax.jit(ops.cost_volume, static_argnames="radius")


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_portable_goldens(case):
    radius = case["attrs"]["max_displacement"]
    golden.check_portable(case, functools.partial(ops.cost_volume, radius=radius), ("a", "b"))


@pytest.mark.parametrize("name", support.smallest_file_quick("ops/correlation"))
def test_full_goldens(name):
    radius = golden.attributes("correlation", name)["attrs"]["max_displacement"]
    call = functools.partial(ops.cost_volume, radius=radius)
    golden.check_full("correlation", name, call, ("input1", "input2"))


def test_a_shifted_pixel_responds_in_the_channel_of_its_displacement():
    features0 = jnp.zeros((1, 8, 40, 2)).at[0, 3, 20].set(1.0)
    features1 = jnp.zeros((1, 8, 40, 2)).at[0, 2, 22].set(1.0)  # 2 right, 1 up
    out = cost_volume(features0, features1, radius=3)
    assert int(out[0, 3, 20].argmax()) == (-1 + 3) * 7 + 2 + 3
    assert out.sum() == 1


def test_radius_0_is_the_mean_product():
    features = jax.random.normal(jax.random.key(0), (2, 5, 37, 6))
    out = cost_volume(features, features, radius=0)
    np.testing.assert_allclose(out[..., 0], jnp.mean(features**2, -1), rtol=1e-5)


def test_rows_at_once_equal_rows_one_by_one():
    """What runs on a GPU against what runs here."""
    windows = jax.random.normal(jax.random.key(0), (5 + 4, 3, 16 + 4, 6))
    blocks = jax.random.normal(jax.random.key(1), (5, 3, 16, 6))
    at_once = jax.jit(correlation._products)(windows, blocks)
    row = jax.jit(correlation._products_of_a_row)
    rows = [row(windows[y : y + 5], blocks[y : y + 1]) for y in range(5)]
    np.testing.assert_allclose(jnp.concatenate(rows), at_once, atol=1e-5)


def test_all_pairs_and_their_means():
    features0 = jax.random.normal(jax.random.key(0), (3, 4, 8))
    features1 = jax.random.normal(jax.random.key(1), (5, 6, 8))
    fine, coarse = ops.all_pairs_correlation(features0, features1, levels=2)
    desired = np.einsum("abc,dec->abde", features0, features1) / np.sqrt(8)
    np.testing.assert_allclose(fine, desired, atol=1e-5)
    means = desired[..., :4, :].reshape(3, 4, 2, 2, 3, 2).mean((3, 5))
    np.testing.assert_allclose(coarse, means, atol=1e-5)


def test_lookup_reads_x_before_y_around_the_flow():
    volumes, flow = _volumes(), _flow()
    out = jax.jit(functools.partial(ops.correlation_lookup, radius=1))(volumes, flow)
    desired = np.zeros((4, 5, 2, 3, 3))
    for y, x in np.ndindex(4, 5):
        for level, dx, dy in np.ndindex(2, 3, 3):
            centre = (np.asarray([x, y]) + flow[y, x]) / 2**level
            place = (centre + np.asarray([dx - 1, dy - 1])).reshape(1, 1, 2)
            plane = volumes[level][y, x][..., None]
            here = jnp.zeros((*plane.shape[:2], 2)).at[0, 0].set(place[0, 0])
            desired[y, x, level, dx, dy] = _warp(plane, here)[0, 0, 0]
    np.testing.assert_allclose(out, desired.reshape(4, 5, 18), atol=1e-5)


def test_correlate_around_equals_a_lookup_in_all_pairs():
    features0 = jax.random.normal(jax.random.key(0), (4, 5, 8))
    features1 = jax.random.normal(jax.random.key(1), (7, 6, 8))
    cotangent = jax.random.normal(jax.random.key(2), (4, 5, 18))

    def both_ways(*arrays):
        around = functools.partial(ops.correlate_around, levels=2, radius=1)
        out, pullback = jax.vjp(around, *arrays)
        wanted, pull_all = jax.vjp(_read_off, *arrays)
        return (out, pullback(cotangent)), (wanted, pull_all(cotangent))

    found, wanted = jax.jit(both_ways)(features0, features1, _flow())
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), found, wanted)


def _read_off(features0, features1, flow):
    volumes = ops.all_pairs_correlation(features0, features1, levels=2)
    return ops.correlation_lookup(volumes, flow, radius=1)


def test_lookup_at_nan_is_zero():
    flow = jnp.asarray([jnp.nan, jnp.inf]).at[None, None].get() * jnp.ones((4, 5, 2))
    out = ops.correlation_lookup(_volumes(), flow, radius=1)
    np.testing.assert_array_equal(out, 0)


def test_lookup_has_the_gradient_of_the_flow():
    volumes, flow = _volumes(), _flow()

    def total(flow):
        return jnp.sum(ops.correlation_lookup(volumes, flow, radius=1) ** 2)

    step = 1e-2 * jax.random.normal(jax.random.key(3), flow.shape)
    slope = jnp.vdot(jax.jit(jax.grad(total))(flow), step)
    change = (total(flow + step / 2) - total(flow - step / 2)).item()
    np.testing.assert_allclose(slope, change, rtol=2e-2)  # a difference quotient


def test_wrong_arguments_are_rejected():
    features = jnp.zeros((4, 4, 2))
    with pytest.raises(ValueError, match=r"features1 must be \(4, 4, 2\) to fit features0"):
        ops.cost_volume(features, jnp.zeros((4, 5, 2)))
    with pytest.raises(ValueError, match="radius must be a whole number of at least 0, got -1"):
        ops.cost_volume(features, features, radius=-1)
    with pytest.raises(ValueError, match="levels must be at least 1"):
        ops.all_pairs_correlation(features, features, levels=4)
    with pytest.raises(ValueError, match="volumes must be a tuple"):
        ops.correlation_lookup((), jnp.zeros((4, 4, 2)))


_warp = jax.jit(ops.backward_warp)


def _volumes():
    features0 = jax.random.normal(jax.random.key(0), (4, 5, 8))
    features1 = jax.random.normal(jax.random.key(1), (4, 6, 8))
    return ops.all_pairs_correlation(features0, features1, levels=2)


def _flow():
    return 1.5 * jax.random.normal(jax.random.key(2), (4, 5, 2))
