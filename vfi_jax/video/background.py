"""Background threads that read frames in advance and write results while the device computes."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
_END: Any = object()


def ahead(items: Iterable[T], *, depth: int) -> Iterator[T]:
    """Yield the same items, computed in a thread up to `depth` items in advance."""
    iterator = iter(items)
    with ThreadPoolExecutor(1) as pool:
        pending = deque(pool.submit(next, iterator, _END) for _ in range(depth))
        while (item := pending.popleft().result()) is not _END:
            pending.append(pool.submit(next, iterator, _END))
            yield item


class Behind:
    """Runs calls in order in a thread, with at most `depth` pending calls.

    An exception is raised by a later call. As a context manager it waits for all calls; if the
    context ends with an exception, only for those that have started.
    """

    def __init__(self, depth: int):
        self._depth = depth
        self._pool = ThreadPoolExecutor(1)
        self._pending: deque[Future] = deque()

    def __call__(self, function: Callable, *arguments: Any) -> None:
        """Schedule function(*arguments)."""
        self._pending.append(self._pool.submit(function, *arguments))
        while len(self._pending) > self._depth:
            self._pending.popleft().result()

    def __enter__(self) -> "Behind":
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        try:
            while self._pending and kind is None:
                self._pending.popleft().result()
        finally:
            self._pool.shutdown(cancel_futures=True)
