"""Add motion blur to a video, as if every frame were exposed by an open shutter.

Frames during the exposure are interpolated and averaged in linear light. The frame rate is kept
unless --fps or --multi changes it: --fps 24 converts a sharp video of 60 frames per second to film.
Other options are those of `vfi-jax interpolate`.
"""

import dataclasses
from typing import Annotated

import tyro

from vfi_jax.cli import interpolate
from vfi_jax.video.options import Timing


@dataclasses.dataclass(frozen=True, kw_only=True)
class Args(interpolate.Args):
    """Options of `vfi-jax blur`."""

    multi: Annotated[int | None, tyro.conf.arg(aliases=["-x"])] = Timing.multi
    """Output frames per input frame. Default: 1, which keeps the rate, or --slow if larger."""

    shutter: float = 180.0
    samples: int = Timing.samples


def check(args: Args) -> None:
    """Check as in `vfi-jax interpolate`."""
    interpolate.check(_with_rate(args))


def run(args: Args) -> int:
    """Write the targets and print the reports."""
    return interpolate.run(_with_rate(args))


def _with_rate(args):
    keeps_rate = args.multi is None and args.fps is None and args.slow == 1
    return dataclasses.replace(args, multi=1 if keeps_rate else args.multi)
