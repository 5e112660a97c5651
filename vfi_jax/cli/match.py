"""Match two images by running an interpolating network backwards.

Writes two pictures: the surest matches as lines from image to image, and the motion at every pixel
in Middlebury's colours. `--csv` adds a table of all matches.
"""

import dataclasses
from pathlib import Path
from typing import Any

from tyro.conf import Positional

SUFFIX = "-field"  # of the second picture's name
GAP = 8  # pixels between both images
ZOOM_TO = 640  # smaller images are drawn this wide, at least, so that lines stay thin beside them
SURE = 0.5  # the share of the matches, surest first, that lines are chosen from
BLUR = 1.0  # standard deviation, in grid steps, of what fills the field where matches are unsure


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
    """Table of all matches: pixel of the frame between and of both images, confidence."""
    model: str = "mind/small"
    """A model that makes the frame between two, or a path to its weights."""
    grid: int = 4
    """Pixels from one match to the next."""
    reach: int = 16
    """Half the largest motion that is looked for, in pixels."""
    lines: int = 120
    """How many matches are drawn as lines, at most."""


def run(args: Args) -> int:
    """Matches, draws, and prints how far things move."""
    import numpy as np

    from vfi_jax import weights
    from vfi_jax.models import mind
    from vfi_jax.video import images

    images.heads([args.first, args.second])  # an error names the image that does not fit
    first, second = (images.read(path) for path in (args.first, args.second))
    model, variables = weights.load(args.model)
    matches = mind.match(
        model, variables, first / 255, second / 255, grid=args.grid, reach=args.reach
    )
    field = args.out.with_stem(args.out.stem + SUFFIX)
    images.write(args.out, picture_lines(first, second, matches, most=args.lines))
    images.write(field, picture_field(first, matches, args.grid))
    if args.csv:
        args.csv.write_text(table(matches))
    sure = matches.confidence >= np.median(matches.confidence)
    length = np.hypot(*(matches.points1 - matches.points0)[sure].T)
    print(
        f"{len(sure)} matches; the surer half moves {length.mean():.2f} pixels on average, "
        f"{length.max():.2f} at most"
    )
    print("wrote", *(path for path in (args.out, field, args.csv) if path))
    return 0


def table(matches: Any) -> str:
    """All matches as comma-separated values with a head line."""
    import numpy as np

    head = "x,y,x0,y0,x1,y1,confidence"
    points, points0, points1, confidence = matches
    rows = np.column_stack([points, points0, points1, confidence])
    lines = (
        f"{x:.0f},{y:.0f},{x0:.2f},{y0:.2f},{x1:.2f},{y1:.2f},{sure:.4f}"
        for x, y, x0, y0, x1, y1, sure in rows
    )
    return "\n".join([head, *lines]) + "\n"


def picture_lines(first: Any, second: Any, matches: Any, *, most: int) -> Any:
    """Both images beside one another, matches as lines between them.

    Args:
      first: `[H, W, 3]` uint8.
      second: like `first`.
      matches: of the two.
      most: how many are drawn: the surest, spread over the image.

    Returns:
      `[H', W', 3]` uint8.
    """
    import cv2
    import numpy as np

    height, width = first.shape[:2]
    zoom = max(1, -(-ZOOM_TO // width))
    # Dimmed and greyed, so that colours are the matches'.
    dim = [
        0.35 * image + 0.3 * image.mean(axis=-1, keepdims=True) + 20 for image in (first, second)
    ]
    large = [
        cv2.resize(image.astype(np.uint8), None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
        for image in dim
    ]
    gap = np.full((zoom * height, GAP, 3), 255, np.uint8)
    sheet = np.concatenate([large[0], gap, large[1]], axis=1)
    chosen = _spread(matches, (height, width), most)
    shift = np.array([zoom * width + GAP, 0])
    for index in chosen[::-1]:  # the surest on top
        colour = _hue(matches.points[index] / (width, height))
        ends = (
            zoom * (matches.points0[index] + 0.5),
            zoom * (matches.points1[index] + 0.5) + shift,
        )
        start, end = (tuple(np.rint(16 * at).astype(int).tolist()) for at in ends)
        cv2.line(sheet, start, end, colour, 1, cv2.LINE_AA, shift=4)
        for at in (start, end):
            cv2.circle(sheet, at, 16 * 4, (0, 0, 0), -1, cv2.LINE_AA, shift=4)
            cv2.circle(sheet, at, 16 * 3, colour, -1, cv2.LINE_AA, shift=4)
    return sheet


def picture_field(image: Any, matches: Any, grid: int) -> Any:
    """The motion at every pixel of the frame between, sure matches filling in for unsure ones.

    Args:
      image: `[H, W, 3]` uint8.
      matches: on a grid over it.
      grid: pixels from one to the next.

    Returns:
      `[H', W', 3]` uint8: Middlebury's colours over the grey image, and their key.
    """
    import cv2
    import numpy as np

    from vfi_jax import draw

    height, width = image.shape[:2]
    rows = len(np.unique(matches.points[:, 1]))
    motion = (matches.points1 - matches.points0).reshape(rows, -1, 2)
    # Squared, as a few unsure matches that agree must not outweigh a sure one.
    weight = matches.confidence.reshape(rows, -1, 1) ** 2 + 1e-6
    sums = cv2.GaussianBlur(np.concatenate([motion * weight, weight], axis=-1), (0, 0), BLUR)
    field = sums[..., :2] / sums[..., 2:]
    field = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
    longest = np.quantile(np.hypot(*np.moveaxis(field, -1, 0)), 0.99)
    colours = draw.flow_colours(field, largest=max(longest, 1e-3))
    grey = image.mean(axis=-1, keepdims=True) / 255
    return (colours * (0.35 + 0.65 * grey)).astype(np.uint8)


def _spread(matches, size, most):
    """Indices of the surest matches that keep their distance from one another, surest first."""
    import numpy as np

    height, width = size
    apart = np.sqrt(height * width / most)
    order = np.argsort(-matches.confidence, kind="stable")
    chosen = []
    for index in order[: max(1, round(SURE * len(order)))]:
        to_others = matches.points[chosen] - matches.points[index]
        if len(chosen) < most and (np.abs(to_others).max(axis=1, initial=apart) >= apart).all():
            chosen.append(index)
    return chosen


def _hue(place):
    """An RGB colour that turns with the direction from the image's middle, so neighbours agree."""
    from vfi_jax import draw

    wheel = draw.colour_wheel()
    import numpy as np

    angle = np.arctan2(*(place - 0.5)[::-1]) / (2 * np.pi) + 0.5
    return tuple(wheel[int(angle * len(wheel)) % len(wheel)].tolist())
