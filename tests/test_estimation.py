"""Flow and depth of frames of any size and type."""

import inspect

import jax.numpy as jnp
import numpy as np
import pytest

import vfi_jax
from tests import support
from vfi_jax import registry, weights
from vfi_jax.cli.flow import Args


def _network(name):
    model = registry.create(name)
    return model, support.variables(model, gain=0.5)


def _frames(*shape):
    return np.random.default_rng(0).integers(0, 256, (2, *shape, 3), np.uint8)


@pytest.fixture(scope="module")
def flow_network():
    return _network("spynet/small")


def test_flow_has_the_size_of_the_frames(flow_network):
    frame0, frame1 = _frames(19, 33)
    flow = vfi_jax.flow(frame0, frame1, network=flow_network)
    assert flow.shape == (19, 33, 2)
    assert flow.dtype == np.float32
    assert np.isfinite(flow).all()
    stacked = vfi_jax.flow([[frame0]], [[frame1]], network=flow_network)
    np.testing.assert_allclose(stacked[0, 0], flow, atol=1e-5)


def test_8_bits_16_bits_and_floats_give_the_same_flow(flow_network):
    frame0, frame1 = _frames(16, 24)
    eight = vfi_jax.flow(frame0, frame1, network=flow_network)
    for other in ((frame0 / 255, frame1 / 255), (frame0 * np.uint16(257), frame1 * np.uint16(257))):
        np.testing.assert_allclose(vfi_jax.flow(*other, network=flow_network), eight, atol=1e-5)


def test_resized_frames_give_flow_in_their_own_pixels():
    """A network that returns constant flow at its input size: 19 rows are resized to 32."""

    class Three(registry.create("spynet/small").__class__):
        def __call__(self, frame0, frame1):
            return {"flow": jnp.full((*frame0.shape[:-1], 2), 3.0)}

    flow = vfi_jax.flow(*_frames(19, 32), network=(Three(), {}))
    np.testing.assert_allclose(flow[..., 0], 3, rtol=1e-6)
    np.testing.assert_allclose(flow[..., 1], 3 * 19 / 32, rtol=1e-6)


def test_depth_is_positive_and_has_the_size_of_the_frame():
    depth = vfi_jax.depth(_frames(18, 21)[0], network=_network("megadepth/small"))
    assert depth.shape == (18, 21, 1)
    assert (depth > 0).all()


def test_other_networks_are_rejected(flow_network):
    frames = _frames(16, 16)
    with pytest.raises(ValueError, match="unknown network 'megadepth'"):
        vfi_jax.flow(*frames, network="megadepth")
    with pytest.raises(ValueError, match="must take frame, got"):
        vfi_jax.depth(frames[0], network=flow_network)
    with pytest.raises(ValueError, match=r"frame1 must be \(16, 16, 3\) like frame0"):
        vfi_jax.flow(frames[0], frames[1, :8], network=flow_network)
    with pytest.raises(FileNotFoundError):
        vfi_jax.flow(*frames, network="pwc_net")


def test_a_network_may_be_a_checkpoints_folder(flow_network, tmp_path):
    frames, folder = _frames(16, 24), tmp_path / "mine"
    weights.save(folder, "spynet/small", flow_network[1])
    wanted = vfi_jax.flow(*frames, network=flow_network)
    for network in (folder, str(folder)):
        np.testing.assert_allclose(vfi_jax.flow(*frames, network=network), wanted, atol=1e-5)
    with pytest.raises(ValueError, match="network must take frame, got"):
        vfi_jax.depth(frames[0], network=folder)


def test_library_and_command_use_the_same_network_by_default():
    assert inspect.signature(vfi_jax.flow).parameters["network"].default == Args.network
