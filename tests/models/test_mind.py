"""MIND: its network against the specification."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from vfi_jax import matching, registry
from vfi_jax.models import mind
from vfi_jax.weights.conversion import shapes_of
from vfi_jax.weights.engine import apply
from vfi_jax.weights.rules import conv, conv_transpose, prelu

# The names of the specification, which is no published file: hence no mapping in the library.
SPECIFICATION = (
    *conv(r"conv(\d)_(\d)", r"encoder\1/conv\2"),
    *prelu(r"prelu(\d)_(\d)", r"encoder\1/prelu\2"),
    *conv_transpose(r"dconv(\d)_1", r"decoder\1/conv1"),
    *conv(r"dconv(\d)_([23])", r"decoder\1/conv\2"),
    *prelu(r"dprelu(\d)_(\d)", r"decoder\1/prelu\2"),
    *conv("output", "output"),
)


def test_it_has_the_parameters_of_the_specification():
    shapes = registry.abstract_variables(registry.create("mind"))
    assert registry.count_parameters(shapes) == 4_736_099


@pytest.mark.slow
@pytest.mark.parametrize("index", range(2))
def test_network_and_responses_follow_the_specification(index):
    """These references check our reading of the paper; the authors' code was never published."""
    arrays = support.full_case("mind_spec", f"case-{index}")
    model = registry.create("mind")
    state_dict = support.full_state_dict("mind_spec")
    variables = apply(SPECIFICATION, state_dict, shapes_of(model), name="mind")
    frames = np.stack([arrays["one_rgb_uint8"], arrays["two_rgb_uint8"]]) / np.float32(255)
    frame_t = model.apply(variables, frames[None], jnp.full((1, 1), 0.5))["frames"][0, 0]
    support.assert_close(frame_t, support.channels_last(arrays["out"]))
    responses = matching.sensitivity(model, variables, *frames, arrays["points_yx"][:, ::-1])
    for frame, name in enumerate(("one", "two")):
        # Rounding may change the side of a PReLU at 0 or the choice between nearly equal maxima.
        support.assert_close(responses[:, frame], arrays[f"sensitivity_{name}"], within=0.999)
        peaks = [np.unravel_index(r.argmax(), r.shape) for r in np.asarray(responses[:, frame])]
        np.testing.assert_array_equal(peaks, arrays[f"match_{name}_yx"])


def test_copying_kernels_and_their_noise_are_uncorrelated():
    kernel = mind.copying(jax.random.key(0), (3, 3, 96, 96)).reshape(9, -1)
    alike = np.corrcoef(kernel)[4]  # with the middle
    assert np.abs(np.delete(alike, 4)).max() < 0.1
