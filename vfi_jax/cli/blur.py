"""Give a video motion blur: every frame is what a shutter, open around it, would have let through.

The times between frames are interpolated, and their light adds up. The frame rate stays, if neither
--fps nor --multi changes it: --fps 24 makes film of a sharp video of 60 frames per second. All else
is as for `vfi-jax interpolate`.
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
    """Output frames for each gap between input frames. If not given, 1, which keeps the rate, or as
    many as --slow where that is more."""

    shutter: float = 180.0
    samples: int = Timing.samples


def check(args: Args) -> None:
    """As `vfi-jax interpolate`."""
    interpolate.check(_with_rate(args))


def run(args: Args) -> int:
    """Writes the targets and prints the reports."""
    return interpolate.run(_with_rate(args))


def _with_rate(args):
    keeps_rate = args.multi is None and args.fps is None and args.slow == 1
    return dataclasses.replace(args, multi=1 if keeps_rate else args.multi)
