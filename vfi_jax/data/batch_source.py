"""From names of data sets to a source of batches: on the device, or streamed from disk."""

import itertools
from typing import Protocol

from vfi_jax import data
from vfi_jax.data.choice import Choice
from vfi_jax.data.clip import pieces
from vfi_jax.data.faults import Faults
from vfi_jax.data.opened import open_clips
from vfi_jax.data.resident import Resident


class BatchSource(Protocol):
    """Where batches come from. A draw depends on the seed and the step alone.

    Attributes:
      arrays: what the jitted step takes once, by name; may be empty.
      frames: frames of the longest clip that is drawn.
    """

    @property
    def arrays(self) -> dict:
        """See above."""

    @property
    def frames(self) -> int:
        """See above."""

    def draw(self, step: int) -> dict:
        """What this process loads for a step: NumPy arrays, their first axis its clips."""

    def gather(self, arrays: dict, drawn: dict) -> dict:
        """The raw clips of a draw, under jit, as `data.batch.Preparation` takes them."""

    def names(self, step: int) -> list[str]:
        """Names of the clips that this process loads for a step."""

    def close(self) -> None:
        """Stops what runs in the background."""


def open_batch_source(choice: Choice) -> BatchSource:
    """The source that a choice describes.

    Raises:
      ValueError: a data set is unknown, absent, empty or laid out otherwise.
    """
    builders = [data.find(name)[0] for name in choice.names]
    if choice.licences and not any("licences" in data.options(one) for one in builders):
        raise ValueError(f"none of {', '.join(choice.names)} knows licences to choose among")
    if choice.resident or not any(builder.LAYOUT for builder in builders):
        return _resident(choice)
    # Streaming needs tfds and grain, which machines that train from memory may lack.
    from vfi_jax.data.pipeline import Streamed

    return Streamed(choice)


def _resident(choice):
    faults = Faults(strict=choice.strict)
    clips = itertools.chain.from_iterable(
        open_clips(name, choice, faults).clips for name in choice.names
    )
    parts = (part for clip in clips for part in pieces(clip, choice.frames, choice.shortest))
    source = Resident(
        parts,
        batch=choice.batch,
        crop=choice.crop,
        seed=choice.seed,
        shard=choice.shard,
        faults=faults,
    )
    faults.summarise()
    return source
