"""Sources of batches from named data sets: on the device, or streamed from disk."""

from typing import Protocol

from vfi_jax import data
from vfi_jax.data.choice import Choice
from vfi_jax.data.clip import pieces
from vfi_jax.data.faults import Faults
from vfi_jax.data.opened import open_clips
from vfi_jax.data.resident import Resident


class BatchSource(Protocol):
    """A source of batches. A draw depends only on the seed and the step.

    Attributes:
      arrays: arrays passed to the jitted step once, by name; may be empty.
      frames: number of frames of the longest clip that is drawn.
    """

    @property
    def arrays(self) -> dict:
        """See above."""

    @property
    def frames(self) -> int:
        """See above."""

    def draw(self, step: int) -> dict:
        """Data that this process loads for a step: NumPy arrays with clips on the first axis."""

    def gather(self, arrays: dict, drawn: dict) -> dict:
        """The raw clips of a draw under jit, the input of `data.batch.Preparation`."""

    def names(self, step: int) -> list[str]:
        """Names of the clips that this process loads for a step."""

    def close(self) -> None:
        """Stop background work."""


def open_batch_source(choice: Choice) -> BatchSource:
    """The source described by a `Choice`.

    Raises:
      ValueError: a data set is unknown, missing, empty or has another layout.
    """
    builders = [data.find(name)[0] for name in choice.names]
    if choice.licences and not any("licences" in data.options(one) for one in builders):
        raise ValueError(f"licences need a set that records them, got {', '.join(choice.names)}")
    if choice.resident or not any(builder.LAYOUT for builder in builders):
        return _resident(choice)
    # Streaming needs tfds and grain, which are optional for training from memory.
    from vfi_jax.data.pipeline import Streamed

    return Streamed(choice)


def _resident(choice):
    faults = Faults(strict=choice.strict)
    clips = open_clips(choice, faults).clips
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
