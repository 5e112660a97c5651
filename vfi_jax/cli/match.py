"""Match two images with the gradients of an interpolation network.

Writes two images: the most confident matches as lines in both images, and the motion at every pixel
in the Middlebury colour code. `--csv` adds a table of all matches.
"""

import dataclasses
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

FIELD = "-field"  # suffix of the second image's name


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax match`."""

    first: Positional[Path]
    """First image."""
    second: Positional[Path]
    """Second image, of the same size."""
    out: Path = Path("matches.png")
    """Output PNG of the matches; the motion field is written next to it as NAME-field.png."""
    csv: Path | None = None
    """Output CSV of all matches: pixels of the middle frame and both images, confidence."""
    model: str = "mind/small"
    """A model that predicts the middle frame of two, or a path to its weights."""
    grid: int = 4
    """Distance of matches in pixels."""
    reach: int = 16
    """Half of the largest motion to find, in pixels."""
    ensemble: Literal["none", "flip2", "flip4"] = "flip4"
    """Average over flipped images: smaller errors, 2 or 4 times the run time."""
    lines: int = 200
    """Maximum number of matches drawn as lines."""


def check(args: Args) -> None:
    """Check the options and files before weights are downloaded."""
    from vfi_jax import images
    from vfi_jax.cli._outputs import check_png, create_folders

    if args.lines < 1:
        raise ValueError(f"--lines must be at least 1, got {args.lines}")
    check_png("--out", args.out)
    images.inspect([args.first, args.second])  # its error names the image with the wrong size
    create_folders(args.out, args.csv)


def run(args: Args) -> int:
    """Match, draw, and print the mean and maximum motion."""
    import numpy as np

    from vfi_jax import images, matching, weights
    from vfi_jax.cli import _match_pictures as pictures

    first, second = (images.read(path) for path in (args.first, args.second))
    model, variables = weights.load(args.model)
    matches = matching.match(
        model, variables, first, second, grid=args.grid, reach=args.reach, ensemble=args.ensemble
    )
    field = args.out.with_stem(args.out.stem + FIELD)
    images.write(args.out, pictures.lines(first, second, matches, most=args.lines))
    images.write(field, pictures.field(first, matches))
    if args.csv is not None:
        args.csv.write_text(pictures.table(matches))
    sure = matches.confidence >= np.median(matches.confidence)
    x, y = (matches.points1 - matches.points0)[sure].T
    length = np.hypot(x, y)
    print(
        f"{len(sure)} matches; the better half moves {length.mean():.2f} pixels on average, "
        f"{length.max():.2f} at most"
    )
    print("wrote", *(path for path in (args.out, field, args.csv) if path is not None))
    return 0
