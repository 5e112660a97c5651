"""Five test inputs in one batch, so that each system is compiled only once."""

import dataclasses

import jax
import numpy as np

from tests import support
from vfi_jax import registry, weights
from vfi_jax.data.degrade import degrade
from vfi_jax.data.scene import Scene

SIDE = 64  # pixels of an answer, at least
LATER = 0.75  # of a system that takes any time, beside 0.25


@dataclasses.dataclass(frozen=True)
class Answers:
    """Frames `[T, H, W, 3]` of one system, by question.

    Attributes:
      model: the system.
      to: question -> answer.
      scene: whose moments from 0 to 1 are the clip, its frames as large as the answers.
    """

    model: object
    to: dict[str, np.ndarray]
    scene: Scene


def of_any_weights(name):
    """A clip, a clip with another top left quarter, a later time, and the clip played backwards."""
    model = registry.create(name)
    clip, scene, times = _clip(model)
    half = clip.shape[1] // 2
    corner = clip.copy()
    corner[:, :half, :half] = 1 - corner[:, :half, :half]
    later = np.full_like(times, LATER) if model.contract.times is None else times
    questions = {
        "clip": (clip, times),
        "corner": (corner, times),
        "later": (clip, later),
        "backwards": (clip[::-1], len(clip) - 1 - times[::-1]),
        "again": (clip, times),
    }
    return _ask(model, support.variables(model, gain=0.5), questions, scene)


def of_shipped_weights(name):
    """A clip, the clip mirrored both ways and played backwards, and its first frame for ever."""
    model, variables = weights.load(name)
    clip, scene, times = _clip(model)
    questions = {
        "clip": (clip, times),
        "left and right": (clip[:, :, ::-1], times),
        "up and down": (clip[:, ::-1], times),
        "backwards": (clip[::-1], len(clip) - 1 - times[::-1]),
        "still": (np.repeat(clip[:1], len(clip), axis=0), times),
    }
    return _ask(model, variables, questions, scene)


def decibels(image, reference):
    """PSNR; 120 where both are equal."""
    return -10 * np.log10(np.square(image - reference).mean() + 1e-12)


def _clip(model):
    """Frames `[N, h, w, 3]` of a rendered scene, the scene, and times to ask for."""
    contract = model.contract
    scale = contract.scale
    side = scale * max(contract.multiple, SIDE // scale)
    scene = Scene(7, side, side, motion=4)
    moments = np.linspace(0, 1, contract.frames)
    frames = np.stack([scene.frame(moment) for moment in moments]).astype(np.float32)
    clip = frames if scale == 1 else np.asarray(degrade(frames, scale))
    return clip, scene, np.float32(contract.times or (0.25,))


def _ask(model, variables, questions, scene):
    clips, times = (np.stack(column) for column in zip(*questions.values(), strict=True))
    answer = jax.jit(lambda *inputs: model.apply(*inputs)["frames"])
    frames = np.asarray(answer(variables, clips, times))
    return Answers(model, dict(zip(questions, frames, strict=True)), scene)
