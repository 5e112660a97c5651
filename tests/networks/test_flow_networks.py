"""FlowNetS and SPyNet, as in MEMC-Net, against reference outputs of the original networks."""

import jax
import numpy as np
import pytest

from tests import support
from vfi_jax import registry, weights
from vfi_jax.networks import flownet_s

NESTED = "flownets."  # where MEMC-Net's files keep them


def _variables(name, group):
    state = support.full_state_dict(group)
    inside = {key[len(NESTED) :]: array for key, array in state.items() if key.startswith(NESTED)}
    return weights.convert(name, inside)


def _frames(case):
    arrays = support.full_case("memc_stages", case)
    frames = (support.channels_last(arrays[key]) / np.float32(255) for key in ("im0", "im2"))
    return arrays, *frames


@pytest.mark.parametrize(("name", "count"), [("flownet_s", 38_676_496), ("spynet", 1_440_300)])
def test_it_has_the_parameters_of_the_original(name, count):
    shapes = registry.abstract_variables(registry.create(name))
    assert registry.count_parameters(shapes) == count


@pytest.mark.slow
def test_flownet_s():
    arrays, frame0, frame1 = _frames("flownets")
    variables = _variables("flownet_s", "memc_net_star")
    out = jax.jit(registry.create("flownet_s").apply)(variables, frame0, frame1)
    for level, flow in enumerate(out["flows"], start=flownet_s.FINEST):
        wanted = support.channels_last(arrays[f"flow{level}"])
        support.assert_close(flow * 2**level / flownet_s.FLOW_SCALE, wanted)


@pytest.mark.slow
@pytest.mark.parametrize(("case", "noise"), [("spynet-small", 8.9e-6), ("spynet", 2.2e-5)])
def test_spynet(case, noise):
    """MEMC-Net passes RGB to a network that expects BGR; ours expects RGB."""
    arrays, frame0, frame1 = _frames(case)
    variables = _variables("spynet", "memc_net_s")
    model = registry.create("spynet", padding="zeros")  # as MEMC-Net's copy samples
    out = jax.jit(model.apply)(variables, frame0[..., ::-1], frame1[..., ::-1])
    support.assert_close(out["flow"], support.channels_last(arrays["flow"]), 5 * noise)


def test_small_frames_use_fewer_levels_of_spynet():
    model = registry.create("spynet/small")
    assert len(registry.abstract_variables(model)["params"]) == model.config.levels
    frame = np.zeros((1, 64, 96, 3), np.float32)
    out = jax.eval_shape(model.apply, registry.abstract_variables(model), frame, frame)
    assert [flow.shape[1:3] for flow in out["flows"]] == [(64, 96), (32, 48), (16, 24)]
