"""Match two images by running an interpolating network backwards (MIND).

Writes two pictures, the surest matches as lines and the motion of every pixel as colour, and on
request all matches as a table.
"""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

if TYPE_CHECKING:
    import numpy as np

    from vfi_jax.models.mind import Matches

COLUMNS = ("x", "y", "x0", "y0", "x1", "y1", "confidence")
SUFFIX = "-field"  # of the second picture's name


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax match`."""

    first: Positional[Path]
    """The first image."""
    second: Positional[Path]
    """The second image, of the same size."""
    out: Path = Path("matches.png")
    """Picture of the matches; the colour field goes beside it, as matches-field.png."""
    csv: Path | None = None
    """Table of all matches: pixel of the frame between, of both images, confidence."""
    model: str = "mind/small"
    """A model that makes the frame between two, or a path to its weights."""
    grid: int = 4
    """Pixels from one match to the next."""
    reach: int = 16
    """Half the largest motion that is looked for, in pixels."""
    lines: int = 100
    """How many matches are drawn as lines, at most."""


def run(args: Args) -> int:
    """Matches, draws, and prints what was written."""
    from vfi_jax import draw, weights
    from vfi_jax.models import mind
    from vfi_jax.video import images

    images.heads([args.first, args.second])  # says which one is of another size, or no image
    first, second = (images.read(path) for path in (args.first, args.second))
    model, variables = weights.load(args.model)
    matches = mind.match(
        model, variables, first / 255, second / 255, grid=args.grid, reach=args.reach
    )
    field = args.out.with_stem(args.out.stem + SUFFIX)
    images.write(args.out, draw.matches(first, second, matches, most=args.lines))
    images.write(field, draw.match_field(first, matches))
    written = [args.out, field]
    if args.csv:
        args.csv.write_text(table(matches))
        written.append(args.csv)
    print(summary(matches))
    print("wrote", ", ".join(map(str, written)))
    return 0
