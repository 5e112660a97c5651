"""`vfi_jax.interpolate` equals the driver under every JAX transformation."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import vfi_jax
from tests.interpolation import toys
from vfi_jax import registry
from vfi_jax.interpolation import Interpolator

ANY, MIDDLE = toys.ANY, toys.MIDDLE
call_any = functools.partial(vfi_jax.interpolate, ANY, {})


def _clip(length=6, size=(9, 10), *, lead=(), channels=3, seed=0):
    shape = (*lead, length, *size, channels)
    return np.random.default_rng(seed).random(shape, np.float32)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", toys.CASES)
def test_it_agrees_with_the_interpolator(name, batch):
    case = toys.CASES[name]
    frames, times = _clip(), case.times[::-1]
    wanted = Interpolator(case.toy, {})(frames, times)
    here = jax.jit(lambda frames: vfi_jax.interpolate(case.toy, {}, frames, times, batch=batch))
    np.testing.assert_allclose(here(frames), wanted, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, jnp.bfloat16, np.float32])
def test_output_has_the_type_of_the_frames(dtype):
    frames = _clip(3)
    if jnp.issubdtype(dtype, jnp.integer):
        frames = frames * np.iinfo(dtype).max
    frames = np.asarray(frames.astype(dtype))
    for toy in (ANY, MIDDLE):
        wanted = Interpolator(toy, {})(frames, (0, 0.25, 1, 1.5))
        found = vfi_jax.interpolate(toy, {}, frames, (0, 0.25, 1, 1.5))
        assert found.dtype == dtype
        level = (
            1 if jnp.issubdtype(dtype, jnp.integer) else 1e-2
        )  # where rounding falls differently
        np.testing.assert_allclose(*(np.float32(array) for array in (found, wanted)), atol=level)


def test_padding_flips_and_channels_equal_the_interpolator():
    toy = toys.Toy(ANY.contract, lambda frames, times: toys.between(frames, times).cumsum(-2))
    options = {"padding": "centred-16", "ensemble": "flip4"}
    frames = _clip(2, channels=5)
    wanted = Interpolator(toy, {}, **options)(frames, (0.25, 0.5))
    found = vfi_jax.interpolate(toy, {}, frames, (0.25, 0.5), **options)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_multi_multiplies_the_frame_rate():
    frames = _clip(3)
    found = call_any(frames, multi=4)
    assert found.shape == (9, 9, 10, 3)
    np.testing.assert_array_equal(found[::4], frames)
    np.testing.assert_allclose(found[3], 0.25 * frames[0] + 0.75 * frames[1], atol=1e-6)


@pytest.mark.parametrize("length", [2, 6])
def test_traced_times_equal_static_times(length):
    frames, times = _clip(length, lead=(2,)), np.float32([0, 0.25, 0.9, 1])
    wanted = call_any(frames, times)
    traced = jax.jit(call_any)
    np.testing.assert_allclose(traced(frames, times), wanted, atol=1e-6)
    each = jnp.stack([times, times[::-1]])
    np.testing.assert_allclose(traced(frames, each)[0], wanted[0], atol=1e-6)
    np.testing.assert_allclose(traced(frames, each)[1], wanted[1, ::-1], atol=1e-6)


def test_long_windows_support_traced_times():
    toy = toys.CASES["four-any-time"].toy
    frames, times = _clip(6), (0.5, 2.25, 3, 4.75)
    wanted = vfi_jax.interpolate(toy, {}, frames, times)
    found = jax.jit(functools.partial(vfi_jax.interpolate, toy, {}))(frames, np.float32(times))
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_gradients_reach_frames_and_times_and_survive_checkpointing():
    frames = _clip(2)
    call = jax.checkpoint(lambda frames, times: call_any(frames, times))
    to_frames = jax.grad(lambda frames: call_any(frames, [0.25]).sum())(frames)
    np.testing.assert_allclose(to_frames[0], 0.75, rtol=1e-6)
    to_time = jax.grad(lambda times: call(frames, times).sum())(jnp.float32([0.25]))
    np.testing.assert_allclose(to_time, (frames[1] - frames[0]).sum(), rtol=1e-4)
    assert jax.grad(lambda times: call(frames, times).sum())(jnp.zeros(1)) == 0


def test_vmap_is_a_leading_axis():
    frames = _clip(3, lead=(2, 2))
    mapped = jax.vmap(lambda clips: call_any(clips, [0.5, 1.75], batch=2))(frames)
    np.testing.assert_allclose(mapped, call_any(frames, [0.5, 1.75]), atol=1e-6)


@pytest.mark.parametrize("kind", [AxisType.Auto, AxisType.Explicit])
@pytest.mark.parametrize("spec", [("data",), (None, "data"), (None, None, "data")])
def test_it_runs_on_frames_sharded_over_a_mesh(kind, spec):
    mesh = jax.make_mesh((4,), ("data",), axis_types=(kind,))
    frames, times = _clip(8, (8, 8), lead=(4,)), [0.25, 1, 6.5]
    wanted = call_any(frames, times)
    sharded = jax.device_put(frames, NamedSharding(mesh, PartitionSpec(*spec)))
    known = functools.partial(call_any, times=times)
    with jax.transfer_guard("disallow"):
        out = jax.jit(known)(sharded)
    np.testing.assert_allclose(out, wanted, atol=1e-6)
    with jax.set_mesh(mesh):
        np.testing.assert_allclose(jax.jit(known)(sharded), wanted, atol=1e-6)
        traced = jax.jit(call_any)(sharded, jnp.float32(times))
    np.testing.assert_allclose(traced, wanted, atol=1e-6)
    if spec == ("data",):
        assert out.sharding.is_equivalent_to(sharded.sharding, out.ndim)


def test_it_runs_under_shard_map():
    mesh = jax.make_mesh((4,), ("data",))
    frames = _clip(3, lead=(4,))
    sharded = jax.device_put(frames, NamedSharding(mesh, PartitionSpec("data")))
    apart = jax.shard_map(
        lambda frames: call_any(frames, [0.5, 1.25]),
        mesh=mesh,
        in_specs=PartitionSpec("data"),
        out_specs=PartitionSpec("data"),
    )
    np.testing.assert_allclose(jax.jit(apart)(sharded), call_any(frames, [0.5, 1.25]), atol=1e-6)


def test_invalid_pixels_are_filled_for_the_model_and_returned_as_nan():
    frames = _clip(2, (8, 8))
    frames[0, 2, 3] = np.nan
    frames[1, 5, 5, 0] = np.inf
    found = np.asarray(call_any(frames, [0.5], invalid="mask"))[0]
    blank = np.isnan(found).all(axis=-1)
    assert set(zip(*np.nonzero(blank), strict=True)) == {(2, 3), (5, 5)}
    wanted = frames.mean(0)
    np.testing.assert_allclose(found[~blank], wanted[~blank], atol=1e-6)


def test_invalid_calls_are_rejected():
    frames = _clip(2)
    with pytest.raises(ValueError, match="either times or multi"):
        call_any(frames)
    with pytest.raises(ValueError, match=r"frames must be \[\*B, N, H, W, C\]"):
        call_any(frames[0], [0.5])
    with pytest.raises(ValueError, match="outside the clip"):
        call_any(frames, [1.5])
    with pytest.raises(ValueError, match="cannot be reached"):
        vfi_jax.interpolate(MIDDLE, {}, frames, [0.3])
    with pytest.raises(ValueError, match="times must be numbers for a model that predicts only"):
        jax.jit(functools.partial(vfi_jax.interpolate, MIDDLE, {}))(frames, np.float32([0.5]))
    with pytest.raises(ValueError, match=r"times must be \[T\]"):
        call_any(frames, jnp.zeros((3, 1)))


def test_models_run_on_explicit_meshes_through_it():
    model = registry.create("shared_pyramid")
    variables = registry.abstract_variables(model)
    mesh = jax.make_mesh((4,), ("data",))
    sharding = NamedSharding(mesh, PartitionSpec("data"))
    frames = jax.ShapeDtypeStruct((4, 2, 20, 33, 3), jnp.uint8, sharding=sharding)
    out = jax.eval_shape(
        lambda variables, frames: vfi_jax.interpolate(model, variables, frames, multi=2),
        variables,
        frames,
    )
    assert out.shape == (4, 3, 20, 33, 3)
    assert out.sharding.spec[0] == "data"
