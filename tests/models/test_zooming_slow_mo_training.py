"""Zooming Slow-Mo's training step, loss and schedule against the original's."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from tests import support
from vfi_jax import registry
from vfi_jax.training import recipes
from vfi_jax.training.optimizer import cosine_restarts
from vfi_jax.weights import conversion, engine
from vfi_jax.weights.mappings import zooming_slow_mo as mapping

# What the original's step trains.
TRAINED = {"frames": 2, "features": 16, "groups": 4, "front": 1, "back": 2}
GRADIENT_TOLERANCE = 1e-4  # of the largest


class Training:
    """Three of the original's training steps, from uint8 inputs and targets `[N, H, W, 3]`.

    Attributes:
      losses: before each step and after the last.
      out, gradient: before the first step.
      params: after the last step.
    """

    def __init__(self, state_dict, inputs, targets):
        model = registry.create("zooming_slow_mo", **TRAINED)
        shapes = conversion.shapes_of(model)
        params = engine.apply(mapping.RULES, state_dict, shapes, name="zooming_slow_mo")["params"]
        batch = {"targets": targets[None] / np.float32(255)}
        frames, times = inputs[None] / np.float32(255), jnp.array([[0, 0.5, 1]])
        loss_of = recipes.find("zooming_slow_mo").loss

        def loss(params):
            prediction = model.apply({"params": params}, frames, times)
            return loss_of(prediction, batch, {})[0], prediction["frames"]

        value_and_grad = jax.jit(jax.value_and_grad(loss, has_aux=True))
        optimizer = optax.adam(4e-4, b2=0.99)
        state, self.losses, self.params = optimizer.init(params), [], params
        for step in range(4):
            (value, out), gradient = value_and_grad(self.params)
            self.losses.append(value)
            if step == 0:
                self.out, self.gradient = out[0], gradient
            if step < 3:
                updates, state = optimizer.update(gradient, state, self.params)
                self.params = optax.apply_updates(self.params, updates)

    def found(self, name):
        """(array in upstream's layout, tolerance relative to the largest) by upstream's name."""
        kind, _, key = name.replace("__", ":").partition(":")
        if key:
            array = original(self.gradient if kind == "grad" else self.params, key)
            return array, GRADIENT_TOLERANCE if kind == "grad" else 1e-5
        reduced = {"l2": np.linalg.norm, "sum": np.sum, "absmax": lambda x: np.abs(x).max()}
        if kind.startswith("grad_"):
            arrays = [original(self.gradient, row[0]) for row in trained_keys()]
            return np.array([reduced[kind.split("_")[1]](x) for x in arrays]), GRADIENT_TOLERANCE
        return {"losses": self.losses, "losses_f64": self.losses, "out": self.out}[kind], 1e-5


def trained_keys():
    return support.read_keys("zooming_slow_mo_train_step")


def original(tree, key):
    shape = next(shape for name, shape, _ in trained_keys() if name == key)
    return support.original(mapping.RULES, tree, key, shape)


@pytest.mark.slow
def test_the_training_step_of_the_portable_case():
    name = "zooming_slow_mo_train_step"
    case = support.portable(name)["cases"][0]
    truth = support.clip(case)
    training = Training(support.portable_state_dict(name), truth[::2, 2::4, 2::4], truth)
    losses = case["outputs"]["losses"]["value"]
    np.testing.assert_allclose(training.losses[:2], losses[:2], rtol=1e-5)
    # A sample of the state's alignment lies at a whole coordinate, where the gradient has a side:
    # inputs changed by 3e-7 give one of three gradients, the stored one among them. The later
    # steps follow the side that was taken.
    np.testing.assert_allclose(training.losses, losses, rtol=1e-4)
    for output in set(case["outputs"]) - {"losses"}:
        figures = case["outputs"][output]
        array, tolerance = training.found(output)
        # Sums of gradients cancel: what they are exact to is a share of the largest.
        largest = max(1.0, np.abs(figures["value"]).max())
        support.assert_samples(array, {**figures, "max_abs": largest}, tolerance=tolerance)


@pytest.mark.slow
def test_the_training_step_of_the_full_case():
    arrays = support.full_case("zsm_train_step", "case-1")
    state_dict = support.full_state_dict("zsm_train_step")
    training = Training(state_dict, arrays["lr_u8"], arrays["hr_u8"])
    for name in set(arrays) - {"lr_u8", "hr_u8"}:
        array, tolerance = training.found(name)
        desired = support.channels_last(arrays["out"])[0] if name == "out" else arrays[name]
        support.assert_close(np.asarray(array), desired, tolerance)


@jax.jit
def summed(x, y):
    """The recipe's loss of predictions x, and its gradient."""
    loss_of = recipes.find("zooming_slow_mo").loss
    return jax.value_and_grad(lambda x: loss_of({"frames": x}, {"targets": y}, {})[0])(x)


def test_the_loss_of_the_portable_case():
    case = support.portable("zooming_slow_mo_train_step")["cases"][1]
    rng = np.random.RandomState(61)  # as the case says
    x, y = (rng.random_sample((1, 3, 5, 6)).astype(np.float32) for _ in range(2))
    loss, gradient = summed(x, y)
    np.testing.assert_allclose(loss, case["outputs"]["loss"]["value"][0], rtol=1e-6)
    figures = {**case["outputs"]["grad_x"], "layout": "as given"}
    support.assert_samples(gradient, figures)


@pytest.mark.parametrize("name", ["case-1", "case-2"])
def test_the_loss_of_the_full_cases(name):
    arrays = support.full_case("ops/zsm_losses", name)
    loss, gradient = summed(arrays["x"], arrays["y"])
    np.testing.assert_allclose(loss, arrays["loss"], rtol=1e-6)
    support.assert_close(gradient, arrays["grad_x"])


@pytest.mark.parametrize("name", ["case-1", "case-2"])
def test_the_schedule_restarts_as_the_original(name):
    arrays = support.full_case("ops/zsm_schedule", name)
    desired = arrays["lr"]
    steps = 600 if name == "case-1" else 600_000
    iterations = np.arange(1, steps + 1) if name == "case-1" else arrays["iteration"]
    rate = cosine_restarts(4, end=float(arrays.get("eta_min", 1e-7)))(4e-4, steps)
    # Near the end of a period the cosine is all but -1: float32 keeps 1e-7 of the full rate.
    np.testing.assert_allclose(rate(jnp.asarray(iterations) - 1), desired, rtol=1e-5, atol=1e-10)
