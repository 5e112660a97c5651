"""Unreadable files of a data set: skipped and counted, or raised as errors."""

import contextlib
import warnings
from collections.abc import Iterator


class Unreadable(ValueError):
    """A clip or its file cannot be read."""


class Faults:
    """Collects unreadable clips.

    Attributes:
      strict: raise errors instead.
      found: the distinct errors.
    """

    def __init__(self, *, strict: bool = False):
        self.strict = strict
        self.found: list[str] = []

    @contextlib.contextmanager
    def passed_over(self) -> Iterator[None]:
        """Context that turns `Unreadable` into a warning and skips the rest of the block.

        Raises:
          Unreadable: something cannot be read and `strict` is set.
        """
        try:
            yield
        except Unreadable as error:
            if self.strict:
                raise
            if str(error) not in self.found:
                self.found.append(str(error))
                warnings.warn(f"skipped: {error}", stacklevel=3)

    def summarise(self) -> None:
        """Warn with the number of unreadable clips, if any."""
        if self.found:
            warnings.warn(f"{len(self.found)} could not be read and were skipped", stacklevel=2)
