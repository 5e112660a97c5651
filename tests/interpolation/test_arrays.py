"""The Interpolator on JAX arrays, inside meshes, and on non-finite pixels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding, PartitionSpec

from tests.interpolation.toys import ANY, MIDDLE
from vfi_jax.interpolation import Interpolator

TIMES = (0, 0.5, 1, 1.25)


def _clip(length=4, size=(8, 8)):
    return np.random.default_rng(0).random((length, *size, 3), np.float32)


@pytest.mark.parametrize("toy", [ANY, MIDDLE], ids=["any", "middle"])
def test_jax_arrays_are_returned_on_their_devices_also_inside_a_mesh(toy):
    frames, interpolator = _clip(), Interpolator(toy, {})
    wanted = interpolator(frames, TIMES)
    device = jax.devices()[3]
    there = interpolator(jax.device_put(frames, device), TIMES)
    assert there.devices() == {device}
    np.testing.assert_array_equal(there, wanted)
    mesh = jax.make_mesh((4,), ("data",))
    with jax.set_mesh(mesh):
        np.testing.assert_array_equal(Interpolator(toy, {})(frames, TIMES), wanted)
        sharding = NamedSharding(mesh, PartitionSpec(None, "data"))
        sharded = interpolator(jax.device_put(frames, sharding), TIMES[:3])
    assert sharded.sharding.is_equivalent_to(sharding, 4)
    np.testing.assert_array_equal(sharded, wanted[:3])


def test_a_traced_array_is_rejected_with_a_solution():
    with pytest.raises(ValueError, match=r"call vfi_jax\.interpolate"):
        jax.jit(lambda frames: Interpolator(ANY, {})(frames, [0.5]))(_clip())


def test_non_finite_pixels_are_an_error_or_masked():
    frames = _clip()
    frames[1, 2:5, 3, 1] = np.nan
    with pytest.raises(ValueError, match="frame 1 must be finite, got 3 pixels"):
        Interpolator(MIDDLE, {})(frames, [0.5])
    found = Interpolator(MIDDLE, {}, invalid="mask")(frames, [0.25, 0.5, 2.5])
    blank = np.isnan(found).all(axis=-1)
    for one in blank[:2]:
        assert set(zip(*np.nonzero(one), strict=True)) == {(2, 3), (3, 3), (4, 3)}
    assert not blank[2].any()
    np.testing.assert_allclose(found[1][~blank[1]], frames[:2].mean(0)[~blank[1]], atol=1e-6)
    with pytest.raises(ValueError, match="unknown value of invalid 'fill'"):
        Interpolator(MIDDLE, {}, invalid="fill")


def test_bfloat16_frames_are_checked_too():
    frames = jnp.full((2, 8, 8, 3), jnp.inf, jnp.bfloat16)
    with pytest.raises(ValueError, match="frame 0 must be finite, got 64 pixels"):
        Interpolator(ANY, {})(frames, [0.5])
