"""Reading ahead and writing behind, in one thread each, while the device computes."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
_END: Any = object()


def ahead(items: Iterable[T], *, depth: int) -> Iterator[T]:
    """The same items, each made up to `depth` items before it is asked for."""
    iterator = iter(items)
    with ThreadPoolExecutor(1) as pool:
        pending = deque(pool.submit(next, iterator, _END) for _ in range(depth))
        while (item := pending.popleft().result()) is not _END:
            pending.append(pool.submit(next, iterator, _END))
            yield item


class Behind:
    """Runs calls in order, up to `depth` calls late; an exception is raised by a later call.

    A context manager: at its end all calls are done, or, where it is left by an exception, those
    that have begun.
    """

    def __init__(self, depth: int):
        self._depth = depth
        self._pool = ThreadPoolExecutor(1)
        self._pending: deque[Future] = deque()

    def __call__(self, function: Callable, *arguments: Any) -> None:
        """Run function(*arguments) soon."""
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
