"""The report on an interpolated video."""

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Report:
    """Report of what was read, computed and written; `print` shows a few lines.

    Attributes:
      source: the source.
      target: the target.
      model: the system that computed the frames.
      codec: the video encoder.
      width: width of the output in pixels.
      height: height of the output in pixels.
      frames_in: number of frames read.
      frames_out: number of frames written.
      rate_in: frames per second of the source; the mean if frames are unevenly spaced.
      rate_out: frames per second of the output, likewise.
      duration: duration of the output in seconds; equal to the source's unless slowed.
      cuts: number of detected scene cuts, across which frames are not interpolated.
      seconds: run time in seconds, including loading of the model; 0 for a dry run, whose
        `frames_out` is the expected number (None if unknown).
      warnings: notes for the user, a line each.
      busy: {stage: share of the time since the first output frame in which it was busy, 0 to 1};
        empty for a dry run.
    """

    source: Path
    target: Path
    model: str
    codec: str
    width: int
    height: int
    frames_in: int | None
    frames_out: int | None
    rate_in: Fraction
    rate_out: Fraction
    duration: Fraction
    cuts: int
    seconds: float
    warnings: tuple[str, ...] = ()
    busy: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def fps(self) -> float:
        """Output frames written per second of work."""
        return (self.frames_out or 0) / self.seconds if self.seconds else 0.0

    @property
    def stats(self) -> str:
        """Utilisation of each stage in one line; a stage near 100 % limits the speed."""
        return ", ".join(f"{stage} busy {share:.0%}" for stage, share in self.busy.items())

    def __str__(self) -> str:
        facts = [
            f"{self.width}x{self.height}",
            f"{_rate(self.rate_in)} -> {_rate(self.rate_out)} frames/s",
            f"{self.frames_in or '?'} -> {self.frames_out or '?'} frames",
            f"{float(self.duration):.3f} s",
        ]
        if self.cuts:
            facts.append("1 scene cut" if self.cuts == 1 else f"{self.cuts} scene cuts")
        spent = f"{self.seconds:.1f} s, {self.fps:.1f} frames/s"
        if not self.seconds:
            spent = "nothing computed or written (dry run)"
        lines = [
            f"{self.source.name} -> {self.target}",
            ", ".join(facts),
            f"{self.model}, {self.codec}: {spent}",
        ]
        return "\n".join(lines + [f"note: {warning}" for warning in self.warnings])


def _rate(rate):
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")
