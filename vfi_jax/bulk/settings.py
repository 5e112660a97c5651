"""Settings of a bulk run."""

import dataclasses
import functools
import hashlib
import pickle
from typing import Any

import vfi_jax
from vfi_jax.bulk.records import RUNNING, Record
from vfi_jax.video import Computing, Output, Timing
from vfi_jax.video.loading import Loaded, load
from vfi_jax.video.segments import source_digest

NOT_RESUMED = (".gif", ".apng")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bulk:
    """Settings for all videos.

    Attributes:
      timing: as in `interpolate_video`.
      computing: as in `interpolate_video`; the model must be a name or path.
      output: as in `interpolate_video`. Parts of a stopped video are kept and reused where `resume`
        is possible.
      attempts: maximum number of attempts per video in one run.
      split: maximum number of workers that share a long video, where `resume` is possible.
    """

    timing: Timing = Timing()
    computing: Computing = Computing()
    output: Output = Output()
    attempts: int = 3
    split: int = 1

    def __post_init__(self):
        for name in ("attempts", "split"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.output.dry_run:
            raise ValueError("bulk does not support dry_run; use `interpolate`")
        if isinstance(self.computing.model, tuple):
            raise ValueError("model must be a name or a path, which workers load")

    def request(self, source: Any) -> str:
        """SHA-256 of everything that determines the result.

        Args:
          source: an existing path, from `remote.path`.
        """
        given = dataclasses.replace(self.output, overwrite=False)
        facts = (source_digest(source), self.timing, self.computing, given, vfi_jax.__version__)
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    def resumes(self, target: Any) -> bool:
        """Whether a target is written in segments."""
        return not self.timing.shutter and target.suffix.lower() not in NOT_RESUMED

    def output_for(self, target: Any, known: Record | None) -> Output:
        """The output options for a target.

        Args:
          target: a path from `remote.path`.
          known: its record from an earlier run of the same request, if any.
        """
        # A worker died after writing the target. Any other existing file is not replaced.
        ours = known is not None and known.state == RUNNING
        overwrite = self.output.overwrite or ours
        return dataclasses.replace(self.output, overwrite=overwrite, resume=self.resumes(target))

    def load(self, flow_scale: float) -> Loaded:
        """The model, loaded once per process."""
        return _loaded(pickle.dumps(self.computing), flow_scale)


# By pickled options, because mappings are not hashable.
@functools.lru_cache(maxsize=2)  # one entry for large frames, one for others
def _loaded(computing, flow_scale):
    return load(pickle.loads(computing), flow_scale)
