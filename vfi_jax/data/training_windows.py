"""Training windows: the input and target frames of a clip."""

import dataclasses
import fractions
import itertools
import math

from vfi_jax.contract import Contract


@dataclasses.dataclass(frozen=True, order=True)
class TrainingWindow:
    """A model's inputs and targets, as frame indices of a clip.

    Attributes:
      inputs: indices of the input frames, equally spaced.
      targets: indices of the target frames.
      times: times of the targets, relative to the first input, in units of the input distance.
    """

    inputs: tuple[int, ...]
    targets: tuple[int, ...]
    times: tuple[float, ...]

    def __post_init__(self):
        ordered = (self.inputs, self.targets, self.times)
        if any(list(one) != sorted(set(one)) for one in ordered) or min(self.inputs) < 0:
            raise ValueError(f"inputs, targets and times of a window must ascend, got {ordered}")
        if len(self.targets) != len(self.times):
            raise ValueError(
                f"a window needs one time per target, got {self.targets} and {self.times}"
            )

    @property
    def length(self) -> int:
        """Number of frames that a clip needs for this window."""
        return 1 + max(*self.inputs, *self.targets)

    @property
    def span(self) -> int:
        """Number of frames from its first to its last, inclusive."""
        return self.length - min(*self.inputs, *self.targets)


def windows(
    contract: Contract, count: int, *, gaps: tuple[int, ...] = (), targets: int = 1
) -> tuple[TrainingWindow, ...]:
    """All windows of a clip of `count` frames that fit a contract, shortest first.

    Args:
      contract: the model's contract.
      count: number of frames of the clip.
      gaps: allowed distances between neighbouring inputs, in frames; all that fit by default.
      targets: number of target times per window, if the contract allows any time.

    Raises:
      ValueError: no window fits into `count` frames, or none with one of `gaps`.
    """
    found = []
    for gap in gaps or range(1, count):
        fitting = _of_gap(contract, count, gap, targets)
        if gaps and not fitting:
            raise _no_window(contract, count, f"gap {gap}")
        found += fitting
    if not found:
        raise _no_window(contract, count, "any gap")
    return tuple(sorted(found, key=lambda window: (window.length, window)))


def _of_gap(contract, count, gap, targets):
    shapes = (_window(contract, gap, times) for times in _times(contract, gap, targets))
    return [
        _moved(shape, start)
        for shape in shapes
        if shape is not None
        for start in range(count - shape.length + 1)
    ]


def _no_window(contract, count, wanted):
    return ValueError(
        f"clips of {count} frames have no window of {contract.frames} inputs with targets at times "
        f"{contract.times or 'between them'} with {wanted}; use longer clips or other gaps"
    )


def _times(contract, gap, targets):
    """All sets of target times that fall on frames, for inputs `gap` frames apart."""
    if contract.times is not None:
        return [contract.times]
    inside = range(1, gap * (contract.frames - 1))
    return [
        tuple(index / gap for index in chosen) for chosen in itertools.combinations(inside, targets)
    ]


def _window(contract, gap, times):
    """The window at the start of a clip; None if a time falls between frames."""
    places = [fractions.Fraction(time).limit_denominator(1000) * gap for time in times]
    if any(place.denominator != 1 for place in places):
        return None
    offset = -min(0, math.floor(min(places)))
    inputs = tuple(offset + gap * index for index in range(contract.frames))
    return TrainingWindow(inputs, tuple(offset + int(place) for place in places), tuple(times))


def _moved(window, start):
    return TrainingWindow(
        tuple(start + index for index in window.inputs),
        tuple(start + index for index in window.targets),
        window.times,
    )
