"""How much of a run's time each of its stages was busy."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
DECODE, COMPUTE, ENCODE = "decode", "compute", "encode"
WAITING = "waiting"  # of the thread that computes, for the two others


class Stages:
    """Clocks of stages that run at once, each in one thread."""

    def __init__(self):
        self._busy: Counter[str] = Counter()
        self._started = time.perf_counter()

    def begin(self) -> None:
        """Count from here on: what came before, such as compilation, is not part of the shares."""
        self._busy.clear()
        self._started = time.perf_counter()

    def call(self, stage: str, function: Callable[..., T], *arguments: Any) -> T:
        """`function(*arguments)`, whose time is counted as the stage's."""
        began = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            self._busy[stage] += time.perf_counter() - max(began, self._started)

    def items(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """The items; the time in which they are made is counted as the stage's."""
        iterator, end = iter(items), object()
        while (item := self.call(stage, next, iterator, end)) is not end:
            yield item

    def shares(self) -> dict[str, float]:
        """{stage: share of the time since `begin`, 0 to 1}; computing is what is not waiting."""
        elapsed = max(time.perf_counter() - self._started, 1e-9)
        waited = self._busy[WAITING] / elapsed
        decode, encode = (self._busy[stage] / elapsed for stage in (DECODE, ENCODE))
        shares = {DECODE: decode, COMPUTE: 1 - waited, ENCODE: encode}
        return {stage: min(max(share, 0.0), 1.0) for stage, share in shares.items()}
