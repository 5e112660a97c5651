"""Scores of predictions against ground truth, frame by frame."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax import metrics
from vfi_jax.evaluation import tables
from vfi_jax.evaluation.protocols import Protocol

PEAK = 255.0  # scores use 8-bit values
METRICS = ("psnr", "ssim", "haarpsi", "gmsd", "ie")


@dataclasses.dataclass(frozen=True)
class Sample:
    """Input frames with the true frames at some times.

    Attributes:
      name: name of the clip.
      frames: uint8 `[N, H, W, 3]`, the model's input.
      times: in input frames.
      targets: uint8 `[T, sH, sW, 3]`, the true frames at `times`.
      mask: `[sH, sW, 1]`, 1 for scored pixels; None: all.
    """

    name: str
    frames: np.ndarray
    times: tuple[Fraction, ...]
    targets: np.ndarray
    mask: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Scored:
    """A model's predictions for a sample, and their scores.

    Attributes:
      sample: the sample.
      predictions: `[T, sH, sW, 3]` 8-bit values, rounded by the protocol, float32.
      scores: per time, by the names in `METRICS`.
      extra: additional metrics of the whole sample, by name.
    """

    sample: Sample
    predictions: np.ndarray
    scores: Sequence[dict[str, float]]
    extra: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def mean(self) -> dict[str, float]:
        """The means over the sample's times, the additional metrics, and "exact".

        "exact" counts the times at which the prediction equals the ground truth. Their PSNR is
        infinite and excluded from the mean, unless all are infinite.
        """
        values = {name: [at[name] for at in self.scores] for name in METRICS}
        exact = sum(np.isposinf(values["psnr"]))
        means = {name: tables.mean_of(of) for name, of in values.items()}
        return {**means, **self.extra, "exact": float(exact)}


# From float frames `[N, H, W, 3]` and times to frames: an `Interpolator`, or a baseline.
Answer = Callable[[np.ndarray, Sequence[Fraction]], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Extra:
    """Additional metrics of a whole sample.

    Attributes:
      names: names of the metrics.
      network: the network they use.
      score: function of a sample and the predictions, `[T, H, W, 3]` 8-bit values, to their values.
    """

    names: tuple[str, ...]
    network: str
    score: Callable[[Sample, np.ndarray], dict[str, float]]


def evaluate(
    interpolator: Answer,
    samples: Iterable[Sample],
    protocol: Protocol,
    *,
    extras: Sequence[Extra] = (),
) -> Iterator[Scored]:
    """Evaluate a model on samples, one at a time.

    Args:
      interpolator: with the protocol's padding and ensemble.
      samples: read lazily.
      protocol: conventions of the scores.
      extras: additional metrics, such as `extras.lpips()`.

    Raises:
      ValueError: the model cannot reach a sample's times, or its frames have another size or are
        not finite.
    """
    for sample in samples:
        # Float output is neither clipped nor rounded; the protocol decides on rounding.
        answers = interpolator(sample.frames.astype(np.float32) / np.float32(PEAK), sample.times)
        if answers.shape != sample.targets.shape:
            raise ValueError(
                f"sample {sample.name} has targets {sample.targets.shape}, but the model predicts "
                f"{answers.shape}"
            )
        if not np.isfinite(answers).all():
            raise ValueError(f"the model's prediction for sample {sample.name} is not finite")
        predictions = quantise(answers, protocol.rounding)
        scores = [
            score(prediction, target, protocol, mask=sample.mask)
            for prediction, target in zip(predictions, sample.targets, strict=True)
        ]
        further: dict[str, float] = {}
        for extra in extras:
            further |= extra.score(sample, predictions)
        yield Scored(sample, predictions, scores, further)


def quantise(frames: np.ndarray, rounding: str) -> np.ndarray:
    """Frames in [0, 1] as 8-bit values, float32: clipped, then "round", "truncate" or "none"."""
    values = np.clip(frames, 0, 1) * np.float32(PEAK)
    rules: dict[str, Callable] = {"round": np.rint, "truncate": np.floor, "none": np.float32}
    return rules[rounding](values)


def score(
    prediction: np.ndarray,
    target: np.ndarray,
    protocol: Protocol,
    *,
    mask: np.ndarray | None = None,
) -> dict[str, float]:
    """Scores of one frame.

    Args:
      prediction: `[H, W, 3]`, 8-bit values of any type.
      target: `[H, W, 3]` uint8.
      protocol: conventions of the score.
      mask: `[H, W, 1]`; used if the protocol scores inside a mask.

    Returns:
      Scores by the names in `METRICS`: PSNR in dB, IE in 8-bit steps. HaarPSI, GMSD and IE use
      whole RGB frames under every protocol.

    Raises:
      ValueError: the protocol needs a mask and `mask` is None.
    """
    if protocol.masked and mask is None:
        raise ValueError("this protocol scores inside a motion mask, but the sample has none")
    values = _score(
        jnp.asarray(prediction, jnp.float32),
        jnp.asarray(target, jnp.float32),
        jnp.asarray(mask, jnp.float32) if protocol.masked else None,
        channels=protocol.channels,
        ssim=protocol.ssim,
        error=protocol.error,
    )
    return {name: float(value) for name, value in zip(METRICS, values, strict=True)}


@jax.jit(static_argnames=("channels", "ssim", "error"))
def _score(prediction, target, mask, *, channels, ssim, error):
    seen = [prediction, target]
    if channels != "rgb":
        seen = [PEAK * metrics.luma(image / PEAK, standard=channels) for image in seen]
    return (
        metrics.psnr(*seen, peak=PEAK, mask=mask),
        metrics.ssim(*seen, convention=ssim, peak=PEAK),
        metrics.haarpsi(prediction, target, peak=PEAK),
        metrics.gmsd(prediction, target, peak=PEAK),
        metrics.interpolation_error(prediction, target, convention=error),
    )
