"""Utilisation of the stages of a run."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
DECODE, COMPUTE, ENCODE = "decode", "compute", "encode"
WAITING = "waiting"  # the computing thread waits for the two others


class Stages:
    """Clocks of concurrent stages, one thread each."""

    def __init__(self):
        self._busy: Counter[str] = Counter()
        self._started = time.perf_counter()

    def begin(self) -> None:
        """Start measuring: earlier work, such as compilation, does not count."""
        self._busy.clear()
        self._started = time.perf_counter()

    def call(self, stage: str, function: Callable[..., T], *arguments: Any) -> T:
        """Return `function(*arguments)`; its time counts as time of the stage."""
        began = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            self._busy[stage] += time.perf_counter() - max(began, self._started)

    def items(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """Yield the items; the time to compute them counts as time of the stage."""
        iterator, end = iter(items), object()
        while (item := self.call(stage, next, iterator, end)) is not end:
            yield item

    def shares(self) -> dict[str, float]:
        """{stage: share of the time since `begin`, 0 to 1}; computing is the rest of waiting."""
        elapsed = max(time.perf_counter() - self._started, 1e-9)
        waited = self._busy[WAITING] / elapsed
        decode, encode = (self._busy[stage] / elapsed for stage in (DECODE, ENCODE))
        shares = {DECODE: decode, COMPUTE: 1 - waited, ENCODE: encode}
        return {stage: min(max(share, 0.0), 1.0) for stage, share in shares.items()}
