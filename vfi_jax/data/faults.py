"""Files of a data set that cannot be read: passed over and counted, or errors."""

import contextlib
import warnings
from collections.abc import Iterator


class Unreadable(ValueError):
    """A clip, or the file that it is in, that cannot be read."""


class Faults:
    """Counts what cannot be read.

    Attributes:
      strict: raise instead.
      found: the errors, each once.
    """

    def __init__(self, *, strict: bool = False):
        self.strict = strict
        self.found: list[str] = []

    @contextlib.contextmanager
    def passed_over(self) -> Iterator[None]:
        """Warns of what cannot be read inside; the rest of the block is left out then.

        Raises:
          Unreadable: something cannot be read, and that is an error here.
        """
        try:
            yield
        except Unreadable as error:
            if self.strict:
                raise
            if str(error) not in self.found:
                self.found.append(str(error))
                warnings.warn(f"left out: {error}", stacklevel=3)

    def summarise(self) -> None:
        """Warns once more, with their number, where there were any."""
        if self.found:
            warnings.warn(f"{len(self.found)} could not be read and were left out", stacklevel=2)
