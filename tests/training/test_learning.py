"""Every small recipe learns to interpolate within its number of steps (minutes each)."""

import dataclasses
from fractions import Fraction

import jax
import numpy as np
import pytest

from tests import support
from vfi_jax import evaluation, metrics
from vfi_jax.data.clip import Clip
from vfi_jax.data.resident import Resident
from vfi_jax.data.scene import Scene
from vfi_jax.interpolation import Interpolator
from vfi_jax.training import recipes, run
from vfi_jax.training.state import State
from vfi_jax.training.step import make_step

STAGES = {"dain/small": ["dain/flow", "dain/small"]}  # recipes continued from others
MOTIONS = (4, 6, 8, 10)  # pixels between inputs
FRAMES = 7  # of a clip; every second is an input, and Zooming Slow-Mo sees four
SIDE = 64
GAIN = 3.0  # dB
CHUNK = 50  # steps between evaluations


@pytest.mark.slow
@pytest.mark.training
@pytest.mark.parametrize("name", support.SMALL_RECIPES)
def test_a_recipe_is_3_db_better_than_the_mean_of_both_frames_on_four_clips(name):
    variables = None
    for stage in STAGES.get(name, [name]):
        variables = _learn(stage, variables)


def _learn(name, variables):
    """Train until the gain is reached, from random variables by default; returns the variables.

    The test fails if the recipe's number of steps is not enough.
    """
    recipe = recipes.find(name)
    recipe = dataclasses.replace(recipe, crop=(SIDE, SIDE), batch=4, gaps=(2,))
    model = run.create_model(recipe, bf16=False)
    scenes = [Scene(seed, SIDE, SIDE, motion=pixels) for seed, pixels in enumerate(MOTIONS)]
    source = Resident([_clip(scene) for scene in scenes], batch=recipe.batch)
    prepare = recipe.preparation(model.contract, source.frames)
    optimizer = recipe.optimizer.build(recipe.steps)
    step = make_step(model, recipe.loss, optimizer, ema=recipe.ema, summed=recipe.summed)
    frozen = run.load_frozen(recipe)

    @jax.jit
    def advance(state, arrays, drawn, frozen):
        return step(state, prepare(source.gather(arrays, drawn)), frozen)

    start = variables or run.start_variables(model, recipe, seed=0, weights_name="")
    state = State.start(start, optimizer, ema=bool(recipe.ema))
    scale, gain = model.contract.scale, -np.inf
    questions = [support.question(scene, 0.5, scale=scale) for scene in scenes]
    mean = _psnr(evaluation.baseline("average", scale=scale), questions)
    for place in range(recipe.steps):
        state, _ = advance(state, source.arrays, source.draw(place), frozen)
        if (place + 1) % CHUNK == 0:
            gain = _psnr(Interpolator(model, state.variables), questions) - mean
            print(f"{name}: {gain:+.2f} dB after {place + 1} of {recipe.steps} steps")
            if gain >= GAIN:
                return state.variables
    pytest.fail(f"{name}: {gain:+.2f} dB after {recipe.steps} steps, wanted {GAIN:+}")


def _clip(scene):
    frames = [np.round(255 * scene.frame(index / 2)).astype(np.uint8) for index in range(FRAMES)]
    return Clip("scene", tuple(frames))


def _psnr(answer, questions):
    """Mean, of the frame between the first two that training is given."""
    found = [metrics.psnr(answer(given, [Fraction(1, 2)])[0], truth) for given, truth in questions]
    return float(np.mean(found))
