"""Deliberate mistakes, each of which the corresponding suite must detect."""

import dataclasses
import functools
import inspect

import jax
import jax.numpy as jnp
import pytest

from tests.data import test_data_sets
from tests.models import questions, test_every_model
from tests.ops import examples, test_every_op
from tests.training import test_recipes
from vfi_jax import data, ops, registry
from vfi_jax.training import recipes


def _negated(flow):
    return -flow


def _swapped(flow):
    """x and y swapped."""
    return flow.reshape(*flow.shape[:-1], -1, 2)[..., ::-1].reshape(flow.shape)


@pytest.mark.parametrize("mistake", [_negated, _swapped])
@pytest.mark.parametrize("name", test_every_op.WITH_FLOW)
def test_an_op_with_a_wrong_flow_convention_fails(name, mistake, monkeypatch):
    right = getattr(ops, name)
    flows = [key for key, kind in examples.kinds(name).items() if kind == "flow"]

    @functools.wraps(right)
    def wrong(*args, **options):
        given = inspect.signature(right).bind(*args, **options)
        for key in flows:
            given.arguments[key] = mistake(given.arguments[key])
        return right(*given.args, **given.kwargs)

    monkeypatch.setattr(ops, name, wrong)
    with pytest.raises(AssertionError):
        test_every_op.test_the_docstring_example_is_correct(name)


def _heedless(answer, frames, times):
    return answer(frames, jnp.full_like(times, 0.5))


def _late(answer, frames, times):
    return answer(frames, 1 - times)


def _mirrored(answer, frames, times):
    return answer(frames, times)[..., ::-1, :]


def _blue(answer, frames, times):
    return answer(frames, times)[..., ::-1]


def _of_any_weights(test):
    return lambda name: test(questions.of_any_weights(name))


def _of_shipped_weights(test):
    return lambda name: test(questions.of_shipped_weights(name))


@pytest.mark.parametrize(
    ("mistake", "name", "test"),
    [
        (_heedless, "blend", test_every_model.test_the_contract_is_kept_and_times_matter),
        (
            _heedless,
            "blend",
            _of_any_weights(test_every_model.test_results_depend_on_the_time),
        ),
        (
            _mirrored,
            "voxel_flow/small",
            _of_any_weights(test_every_model.test_a_local_change_has_a_local_effect),
        ),
        (
            _blue,
            "blend",
            _of_shipped_weights(test_every_model.test_equal_frames_are_returned),
        ),
        (
            _late,
            "blend",
            _of_shipped_weights(test_every_model.test_early_times_are_closer_to_the_first_frame),
        ),
    ],
    ids=["heedless", "heedless-answers", "mirrored", "blue", "late"],
)
def test_a_model_with_a_wrong_prediction_fails(mistake, name, test, monkeypatch):
    found = registry.definition(registry.split(name)[0])

    class Wrong(found.Model):
        def __call__(self, frames, times, *, targets=None, train=False):
            right = super().__call__
            return {"frames": mistake(lambda *question: right(*question)["frames"], frames, times)}

    monkeypatch.setattr(found, "Model", Wrong)
    with pytest.raises(AssertionError):
        test(name)


def _of_the_input(loss, prediction, batch):
    return loss(prediction, {**batch, "targets": batch["frames"][:, :1]})


def _rising(loss, prediction, batch):
    return -loss(prediction, batch)


def _of_nothing(loss, prediction, batch):
    return loss(jax.tree.map(jnp.zeros_like, prediction), batch)


@pytest.mark.parametrize("mistake", [_of_the_input, _rising, _of_nothing])
def test_a_recipe_with_a_wrong_loss_fails(mistake, monkeypatch):
    right = recipes.find("sepconv")

    def loss(prediction, batch, frozen):
        return mistake(lambda *given: right.loss(*given, frozen)[0], prediction, batch), {}

    wrong = dataclasses.replace(right, loss=loss)
    monkeypatch.setattr(recipes, "find", lambda name: wrong)
    with pytest.raises(AssertionError):
        test_recipes.test_the_loss_decreases_towards_the_target("sepconv")


def _backwards(clips):
    return {
        split: [dataclasses.replace(clip, frames=clip.frames[::-1]) for clip in found]
        for split, found in clips.items()
    }


def _shared(clips):
    return {**clips, "test": clips["train"]}


def _beyond_the_end(clips):
    return {
        split: [dataclasses.replace(clip, inputs=(0, len(clip.frames))) for clip in found]
        for split, found in clips.items()
    }


@pytest.mark.parametrize(
    ("mistake", "test"),
    [
        (_backwards, test_data_sets.test_frames_are_in_the_order_of_time),
        (_shared, test_data_sets.test_train_val_and_test_share_no_frame),
        (_beyond_the_end, test_data_sets.test_frames_are_in_the_order_of_time),
    ],
)
def test_a_data_set_with_wrong_order_fails(mistake, test, tmp_path):
    name = "vimeo90k/triplet"
    builder, variant = data.find(name)
    builder.sample(tmp_path, variant)
    clips = {split: list(data.clips(name, tmp_path, split)) for split in ("train", "val", "test")}
    test(name, lambda _: clips)
    with pytest.raises((AssertionError, ValueError)):
        test(name, lambda _: mistake(clips))
