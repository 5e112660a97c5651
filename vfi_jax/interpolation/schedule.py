"""The windows to run for given times, their order, and the times to request from each."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction

from vfi_jax.contract import Contract
from vfi_jax.interpolation.windows import Place, Window, exact, place

Schedule = dict[Window, dict[Fraction, Fraction]]  # {window: {relative time: time}}


def schedule(
    contract: Contract,
    places: Iterable[Place],
    length: int | None,
    computed: Collection[Fraction] = (),
) -> Schedule:
    """The windows to compute, coarsest first, because bisected intervals need the earlier ones.

    Args:
      contract: the model's contract.
      places: the window of each time.
      length: number of frames of the clip; None: longer than any window that is needed.
      computed: times whose frames already exist.
    """
    requested: Schedule = defaultdict(dict)
    waiting = [here for here in places if here.window and here.time not in computed]
    while waiting:
        here = waiting.pop()
        assert here.window is not None
        requested[here.window][here.relative] = here.time
        waiting += [
            place(contract, time, length) for time in missing(here.window.times(length), computed)
        ]
    coarsest_first = sorted(requested, key=lambda window: (-window.step, window.size, window.start))
    return {window: requested[window] for window in coarsest_first}


def missing(times: Iterable[Fraction], computed: Collection[Fraction]) -> list[Fraction]:
    """The times of a window that are neither input frames nor computed yet."""
    return [time for time in times if time.denominator > 1 and time not in computed]


def rows(
    contract: Contract, requested: Mapping[Window, Mapping[Fraction, Fraction]]
) -> list[list[Fraction]]:
    """The relative times to request from each window in a call, padded to equal counts.

    Args:
      contract: the model's contract; if it lists times, a call predicts all of them.
      requested: windows of a `schedule`.
    """
    offered = contract.times_of(next(iter(requested)).size)
    if offered is not None:
        return [[exact(time) for time in offered]] * len(requested)
    most = max(map(len, requested.values()))
    return [_extend(sorted(relatives), most) for relatives in requested.values()]


def _extend(times, length):
    return times + times[-1:] * (length - len(times))
