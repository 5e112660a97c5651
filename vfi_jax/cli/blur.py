"""Give a video motion blur: every frame is what a shutter, open around it, would have let through.

The times between frames are interpolated, and their light adds up. The frame rate stays, if neither
--fps nor --multi changes it: --fps 24 makes film of a sharp video of 60 frames per second. All else
is as for `vfi-jax interpolate`.
"""

import dataclasses
from typing import Annotated

import tyro

from vfi_jax.cli import interpolate


@dataclasses.dataclass(frozen=True)
class Args(interpolate.Args):
    """Options of `vfi-jax blur`."""

    multi: Annotated[int | None, tyro.conf.arg(aliases=["-x"])] = None
    """Output frames for each gap between input frames: 1, which keeps the rate, if not given; as
    many as --slow asks for where that is more."""

    shutter: float = 180.0
    """For how much of a frame's time the shutter is open, in degrees of 360, the whole of it."""

    samples: int = 8
    """Steps that this time is divided into, an even number: more are smoother where motion is
    fast."""


def run(args: Args) -> int:
    """Writes the target and prints what was done."""
    multi = 1 if args.multi is None and args.slow == 1 else args.multi
    return interpolate.run(dataclasses.replace(args, multi=multi))
