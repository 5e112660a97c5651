"""Matches between two images to look at: as lines, as a field of colours, as a table."""

import cv2
import numpy as np

from vfi_jax import draw
from vfi_jax.models.mind import Matches

GAP = 8  # pixels between both images
WIDTH = 640  # of an image on the sheet, at least, so that lines are thin beside what they join
SURE = 0.5  # the share of the matches, surest first, that lines are chosen from
SUBPIXEL = 4  # bits that OpenCV's coordinates have behind the point
FILL = 1.0  # grid steps over which sure matches fill in for unsure ones (standard deviation)


def lines(first: np.ndarray, second: np.ndarray, matches: Matches, *, most: int) -> np.ndarray:
    """Both images beside one another, joined by lines from match to match.

    Args:
      first: `[H, W, 3]` uint8.
      second: like `first`.
      matches: of the two.
      most: how many are drawn: the surest, spread over the image.

    Returns:
      `[H', W', 3]` uint8.
    """
    height, width = first.shape[:2]
    zoom = -(-WIDTH // width)
    left, right = (_faded(image, zoom) for image in (first, second))
    gap = np.full((zoom * height, GAP, 3), draw.PAPER, np.uint8)
    sheet = np.concatenate([left, gap, right], axis=1)
    beside = np.array([zoom * width + GAP, 0])
    for index in _spread(matches, (height, width), most)[::-1]:  # the surest on top
        colour = _colour(matches.points[index] / (width, height))
        start = _corner(zoom, matches.points0[index])
        end = _corner(zoom, matches.points1[index], beside)
        cv2.line(sheet, start, end, colour, 1, cv2.LINE_AA, SUBPIXEL)
        for radius, ink in ((4, draw.INK), (3, colour)):
            for centre in (start, end):
                cv2.circle(sheet, centre, radius << SUBPIXEL, ink, -1, cv2.LINE_AA, SUBPIXEL)
    return sheet


def field(image: np.ndarray, matches: Matches) -> np.ndarray:
    """The motion at every pixel of the frame between, in Middlebury's colours over the image.

    Args:
      image: `[H, W, 3]` uint8.
      matches: on a grid over it, in reading order.

    Returns:
      `[H, W, 3]` uint8.
    """
    height, width = image.shape[:2]
    rows = len(np.unique(matches.points[:, 1]))
    motion = (matches.points1 - matches.points0).reshape(rows, -1, 2)
    # Squared: a few unsure matches that agree must not outweigh a sure one.
    weight = np.square(matches.confidence).reshape(rows, -1, 1) + 1e-6
    sums = cv2.GaussianBlur(np.concatenate([motion * weight, weight], axis=-1), (0, 0), FILL)
    mean = np.asarray(sums[..., :2] / sums[..., 2:], np.float32)
    dense = cv2.resize(mean, (width, height))
    length = np.hypot(dense[..., 0], dense[..., 1])[..., None]
    longest = max(float(np.quantile(length, 0.99)), 1.0)
    # Longer than that is shown as that: the wheel would darken it.
    shown = dense * np.minimum(1, 0.999 * longest / np.maximum(length, longest))
    colours = draw.flow_colours(shown, largest=longest)
    light = image.mean(axis=-1, keepdims=True) / 255
    return draw.as_bytes(colours / 255 * (0.4 + 0.6 * light))


def table(matches: Matches) -> str:
    """All matches as comma-separated values: pixel of the frame between, of both images."""
    rows = np.column_stack(matches)
    texts = (
        f"{x:.0f},{y:.0f},{x0:.2f},{y0:.2f},{x1:.2f},{y1:.2f},{confidence:.4f}\n"
        for x, y, x0, y0, x1, y1, confidence in rows
    )
    return "x,y,x0,y0,x1,y1,confidence\n" + "".join(texts)


def _faded(image, zoom):
    """Larger, darker and half grey, so that the colours are those of the matches."""
    grey = image.mean(axis=-1, keepdims=True)
    faded = np.broadcast_to(0.3 * image + 0.3 * grey + 20, image.shape).astype(np.uint8)
    return cv2.resize(faded, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)


def _spread(matches, size, most):
    """Indices of the surest matches that keep apart from one another, surest first."""
    apart = np.sqrt(size[0] * size[1] / max(most, 1))
    order = np.argsort(-matches.confidence, kind="stable")
    chosen: list[int] = []
    for index in order[: max(1, round(SURE * len(order)))]:
        distance = np.abs(matches.points[chosen] - matches.points[index]).max(axis=1)
        if len(chosen) < most and (distance >= apart).all():
            chosen.append(index)
    return chosen


def _corner(zoom, point, shift=0):
    """A pixel's centre on the enlarged image, in OpenCV's fixed point numbers."""
    centre = zoom * (point + 0.5) - 0.5 + shift
    x, y = np.rint(centre * (1 << SUBPIXEL)).astype(int).tolist()
    return x, y


def _colour(place):
    """RGB by the direction from the middle of the image (0 .. 1), so that neighbours look alike."""
    wheel = draw.colour_wheel()
    x, y = place - 0.5
    turn = np.arctan2(y, x) / (2 * np.pi) % 1
    return tuple(wheel[int(turn * len(wheel))].tolist())
