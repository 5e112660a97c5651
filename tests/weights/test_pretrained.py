"""The included weights: small, documented, and better than blending."""

from fractions import Fraction

import numpy as np
import pytest

import vfi_jax
from tests import support
from vfi_jax import estimation, evaluation, metrics, weights
from vfi_jax.data.scene import Scene
from vfi_jax.interpolation import Interpolator
from vfi_jax.weights import conversion, hub_folder, store
from vfi_jax.weights.places import PRETRAINED, packaged_folder

SIZE = (128, 192)
SEEDS = (11, 12, 13, 14)
# mind/small was trained to match, on textures alone.
INTERPOLATING = [name for name in support.SHIPPED if name != "mind/small"]


def test_included_weights_are_small():
    sizes = {name: _bytes(packaged_folder(name)) for name in support.SHIPPED}
    assert sizes.pop(weights.DEFAULT) <= 4e6
    assert sizes.pop("shared_pyramid") <= 4e6
    assert max(sizes.values(), default=0) < 0.7e6
    assert _bytes(PRETRAINED) <= 10e6


@pytest.mark.parametrize("name", support.SHIPPED)
def test_included_weights_are_intact_and_have_a_card(name):
    store.verify(packaged_folder(name))
    assert store.describe(packaged_folder(name))["model"] == name
    card = packaged_folder(name).with_suffix(".md").read_text()
    assert card.startswith(f"{hub_folder.front_matter('Apache-2.0')}# {name}\n")
    assert f"train {name}" in card
    assert "## Data" in card


@pytest.mark.slow
@pytest.mark.parametrize("name", support.SHIPPED)
def test_included_weights_fit_their_models(name):
    conversion.check(name, *weights.load(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", INTERPOLATING)
def test_an_included_model_is_2_db_better_than_blending(name):
    # From 4 pixels on: up to 2, blending has more than 43 dB, where nobody sees a difference, and
    # Practical-RIFE 4.6, which tween learnt from, has less.
    model, motions = Interpolator(*weights.load(name)), (4, 6, 8)
    scale = model.contract.scale
    mean = evaluation.baseline("average", scale=scale)
    gains = [
        _decibels(model, 0.5, motion=pixels, scale=scale)
        - _decibels(mean, 0.5, motion=pixels, scale=scale)
        for pixels in motions
    ]
    assert min(np.mean(gains), gains[-1]) >= 2, gains


@pytest.mark.slow
def test_the_default_follows_motion_to_any_time():
    model, blend = Interpolator(*weights.load()), Interpolator(*weights.load("blend"))
    errors = {}
    for time in (0.25, 0.5, 0.75):
        decibels = _decibels(model, time, motion=8)
        assert decibels >= _decibels(blend, time, motion=8) + 3
        errors[time] = 10 ** (-decibels / 20)
    assert max(errors.values()) <= 1.3 * errors[0.5]


@pytest.mark.slow
def test_the_included_flow_network_estimates_flow_between_two_frames():
    errors = []
    for seed in SEEDS:
        scene = Scene(seed, *SIZE, motion=8)
        flow = vfi_jax.flow(scene.frame(0), scene.frame(1), network=estimation.FLOW_NETWORK)
        truth = scene.flow(0, 1)
        errors.append([np.linalg.norm(truth - other, axis=-1).mean() for other in (flow, 0)])
    error, still = np.mean(errors, axis=0)
    assert error < 0.5 * still, (error, still)


def _decibels(answer, time, *, motion, scale=1):
    """Mean PSNR of new frames of rendered scenes against the exact ones; inputs are `scale` times
    smaller."""
    found = []
    for seed in SEEDS:
        given, truth = support.question(Scene(seed, *SIZE, motion=motion), time, scale=scale)
        (made,) = answer(given, [Fraction(time)])
        found.append(float(metrics.psnr(made, truth)))
    return np.mean(found)


def _bytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
