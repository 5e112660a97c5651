"""LPIPS against its authors' code, on stand-in weights of both networks."""

import jax
import numpy as np
import pytest

from tests import support
from tests.golden import standin
from vfi_jax import metrics, registry, weights

CASES = {"case-1": ("alexnet", "lpips"), "case-2": ("vgg16", "lpips/vgg")}


def _variables(case, trunk, heads):
    """The stand-in weights under the names of torchvision and of the heads' files."""
    manifest = support.full("ops/lpips")
    [found] = [c for c in manifest["cases"] if c["file"] == f"{case}.npz"]
    state = standin.state_dict({**manifest, "state_dict": found["state_dict"]})
    body, linear = {}, {}
    for key, array in state.items():
        if key.startswith("net.slice"):
            body["features." + key.split(".", 2)[2]] = array
        elif key.startswith("lin") and not key.startswith("lins"):
            linear[key] = np.abs(array)
    return weights.convert(trunk, body), weights.convert(heads, linear)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_lpips_and_its_gradient_agree_with_published_code(case):
    trunk, name = CASES[case]
    arrays = support.full_case("ops/lpips", case)
    variables, head_variables = _variables(case, trunk, name)
    network, learnt = registry.create(trunk), registry.create(name)
    heads = learnt.apply(head_variables)
    images = [np.float32(arrays[key]) / np.float32(255) for key in ("in0_u8", "in1_u8")]

    def distance(image, reference):
        return metrics.lpips(image, reference, lambda x: network.apply(variables, x), heads)

    value, gradient = jax.jit(jax.value_and_grad(distance, argnums=1))(*images)
    np.testing.assert_allclose(value, arrays["lpips"][0], rtol=5 * 3.5e-7)
    # Upstream's input is in [-1, 1].
    wanted = support.channels_last(arrays["grad_in1"][0])
    worst = np.abs(gradient / 2 - wanted).max() / np.abs(wanted).max()
    assert worst < 5 * {"case-1": 1.2e-5, "case-2": 9.5e-4}[case]


def test_a_network_without_the_layers_of_the_heads_is_an_error():
    image = np.zeros((4, 4, 3), np.float32)
    with pytest.raises(ValueError, match="features must give relu9, got relu1"):
        metrics.lpips(image, image, lambda x: {"relu1": x}, {"relu9": np.ones(3)})


def test_missing_weights_are_named_with_instructions():
    from vfi_jax.evaluation import extras

    with pytest.raises(FileNotFoundError, match=r"vfi-jax convert lpips alex\.pth"):
        extras.lpips()
