"""Match two images by running an interpolating network backwards.

Writes two pictures: the surest matches as lines in both images, and the motion at every pixel in
Middlebury's colours. `--csv` adds a table of all matches.
"""

import dataclasses
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

FIELD = "-field"  # ends the second picture's name


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax match`."""

    first: Positional[Path]
    """The first image."""
    second: Positional[Path]
    """The second image, of the same size."""
    out: Path = Path("matches.png")
    """Picture of the matches, a .png; the colour field goes beside it, as matches-field.png."""
    csv: Path | None = None
    """Table of all matches: pixel of the frame between and of both images, confidence."""
    model: str = "mind/small"
    """A model that makes the frame between two, or a path to its weights."""
    grid: int = 4
    """Pixels from one match to the next."""
    reach: int = 16
    """Half the largest motion that is looked for, in pixels."""
    ensemble: Literal["none", "flip2", "flip4"] = "flip4"
    """Ask the flipped images too: 2 or 4 times the work, smaller errors."""
    lines: int = 200
    """How many matches are drawn as lines, at most."""


def run(args: Args) -> int:
    """Matches, draws, and prints how far things move."""
    import numpy as np

    from vfi_jax.cli._png import check_png

    if args.lines < 1:
        raise ValueError(f"--lines must be at least 1, got {args.lines}")
    check_png("--out", args.out)
    from vfi_jax import images, matching, weights
    from vfi_jax.cli import _match_pictures as pictures

    images.inspect([args.first, args.second])  # its error names the image that does not fit
    first, second = (images.read(path) for path in (args.first, args.second))
    model, variables = weights.load(args.model)
    matches = matching.match(
        model, variables, first, second, grid=args.grid, reach=args.reach, ensemble=args.ensemble
    )
    field = args.out.with_stem(args.out.stem + FIELD)
    for path in filter(None, (args.out, args.csv)):
        path.parent.mkdir(parents=True, exist_ok=True)
    images.write(args.out, pictures.lines(first, second, matches, most=args.lines))
    images.write(field, pictures.field(first, matches))
    if args.csv is not None:
        args.csv.write_text(pictures.table(matches))
    sure = matches.confidence >= np.median(matches.confidence)
    x, y = (matches.points1 - matches.points0)[sure].T
    length = np.hypot(x, y)
    print(
        f"{len(sure)} matches; the surer half moves {length.mean():.2f} pixels on average, "
        f"{length.max():.2f} at most"
    )
    print("wrote", *(path for path in (args.out, field, args.csv) if path is not None))
    return 0
