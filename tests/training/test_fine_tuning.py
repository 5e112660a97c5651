"""Settings for training from given weights."""

import dataclasses

import pytest

from tests.training.test_recipes import drawn_prediction, towards
from vfi_jax import registry
from vfi_jax.training import loop, recipes, run
from vfi_jax.training.options import Options
from vfi_jax.training.workdir import Workdir

FINE_TUNED = [name for name in recipes.list_recipes() if recipes.find(name).fine_tuning]
RATES = {"practical_rife": 3e-5, "shared_pyramid": 1e-4, "tween": 1e-4, "film": 1e-5}


def _resolved(system, **changes):
    return run.resolve(Options(system=system, workdir="run", start_from="w", **changes))


def test_weights_to_start_from_bring_settings_for_fine_tuning():
    recipe = _resolved("practical_rife/4.25")
    assert run.settings(recipe) == (
        "fine-tuning practical_rife/4.25: 3000 steps of 8 crops of 256x256 from video_folder, "
        "adam, peak rate 3e-05; --full-recipe keeps the recipe's settings"
    )
    assert recipe.optimizer.schedule(1.0, 3000)(50) == 0.5  # warm-up
    paper = recipes.find("practical_rife/4.25")
    assert _resolved("practical_rife/4.25", full_recipe=True) == paper
    fresh = Options(system="practical_rife/4.25", workdir="run")
    assert run.resolve(fresh) == paper
    assert _resolved("sepconv/small") == recipes.find("sepconv/small")


def test_weights_to_start_from_are_looked_up_before_data_are_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "open_batch_source", lambda _: pytest.fail("opens data"))
    options = Options(system="tween", workdir=str(tmp_path / "run"), start_from="twen")
    with pytest.raises(ValueError, match="unknown model 'twen'; did you mean tween"):
        loop.train(options)
    assert not list(tmp_path.iterdir())


def test_a_file_is_no_folder_of_a_run(tmp_path):
    (tmp_path / "file").write_text("")
    options = Options(system="tween", workdir=str(tmp_path / "file"))
    with pytest.raises(FileExistsError, match="--workdir must be a folder, got the file "):
        run.claim(Workdir(options.workdir), options, run.resolve(options))


def test_options_override_them():
    recipe = _resolved("shared_pyramid", learning_rate=2e-5, steps=7, batch=6, data=("synthetic",))
    assert recipe.optimizer.learning_rate == 2e-5
    assert (recipe.steps, recipe.batch, recipe.data) == (7, 6, ("synthetic",))


@pytest.mark.parametrize("name", FINE_TUNED)
def test_they_fit_their_system_and_are_those_of_the_help(name):
    recipe = _resolved(name)
    model = registry.create(recipe.model)
    run.check(Options(system=name, workdir="run", start_from="w"), recipe, model.contract)
    recipe.preparation(model.contract, 9)
    assert recipe.optimizer.learning_rate == RATES[registry.split(name)[0]]
    assert {registry.split(name)[0] for name in FINE_TUNED} == set(RATES)


def test_tween_is_fine_tuned_without_its_teachers_weights():
    recipe = _resolved("tween")
    assert not recipe.frozen
    prediction, batch = drawn_prediction(registry.create("tween"))
    losses = [
        float(recipe.loss(towards(share, prediction, batch, False), batch, {})[0])
        for share in (0, 0.5, 1)
    ]
    assert losses[0] > losses[1] > losses[2]


def test_a_resumed_run_does_not_compare_settings_that_its_recipe_has_replaced():
    recipe = _resolved("tween")
    options = Options(system="tween", workdir="run", start_from="w")
    before = run.config(options, recipe)
    after = run.config(options, dataclasses.replace(recipe, fine_tuning={}))
    assert not run._changes(before, after)
