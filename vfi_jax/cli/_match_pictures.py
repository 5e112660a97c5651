"""Output of matches: lines between images, colour-coded motion field, table."""

import cv2
import numpy as np

from vfi_jax import draw
from vfi_jax.matching import Matches

GAP = 8  # pixels between both images
WIDTH = 1000  # minimum width of a drawn image, so that small motions are visible
SURE = 0.5  # lines are chosen from this share of the most confident matches
SUBPIXEL = 4  # fractional bits of OpenCV's coordinates
FILL = 1.0  # standard deviation of the smoothing of matches, in grid steps


def lines(first: np.ndarray, second: np.ndarray, matches: Matches, *, most: int) -> np.ndarray:
    """Both images with a dot at each end of a match and a line to the position of the other end.

    Each line stays in its image: in videos positions change little, so lines from image to image
    would overlap.

    Args:
      first: `[H, W, 3]` uint8.
      second: like `first`.
      matches: matches of the two images.
      most: maximum number drawn, at least 1: the most confident, spread over the image.

    Returns:
      `[H', W', 3]` uint8; colours encode direction and length of the motion, as in `field`.
    """
    chosen = _spread(matches, first.shape[:2], most)
    motion = (matches.points1 - matches.points0)[chosen]
    colours = _motion_colours(motion).tolist()
    ends0, ends1 = matches.points0[chosen], matches.points1[chosen]
    return _together(_dotted(first, ends0, ends1, colours), _dotted(second, ends1, ends0, colours))


def field(image: np.ndarray, matches: Matches) -> np.ndarray:
    """The motion at every pixel of the middle frame, in the Middlebury colour code over the image.

    Args:
      image: `[H, W, 3]` uint8.
      matches: matches on a grid over it, in row-major order.

    Returns:
      `[H, W, 3]` uint8.
    """
    height, width = image.shape[:2]
    rows = len(np.unique(matches.points[:, 1]))
    motion = (matches.points1 - matches.points0).reshape(rows, -1, 2)
    # Squared, so that several uncertain matches do not outweigh a confident one.
    weight = np.square(matches.confidence).reshape(rows, -1, 1) + 1e-6
    sums = cv2.GaussianBlur(np.concatenate([motion * weight, weight], axis=-1), (0, 0), FILL)
    mean = np.asarray(sums[..., :2] / sums[..., 2:], np.float32)
    dense = cv2.resize(mean, (width, height))
    colours = _motion_colours(dense)
    light = image.mean(axis=-1, keepdims=True) / 255
    return draw.as_bytes(colours / 255 * (0.4 + 0.6 * light))


def table(matches: Matches) -> str:
    """All matches as comma-separated values: pixels of the middle frame and of both images."""
    rows = np.column_stack(matches)
    texts = (
        f"{x:.0f},{y:.0f},{x0:.2f},{y0:.2f},{x1:.2f},{y1:.2f},{confidence:.4f}\n"
        for x, y, x0, y0, x1, y1, confidence in rows
    )
    return "x,y,x0,y0,x1,y1,confidence\n" + "".join(texts)


def _together(first, second):
    """Both images in one, stacked or side by side, whichever is closer to a square."""
    axis = 0 if first.shape[1] > first.shape[0] else 1
    shape = list(first.shape)
    shape[axis] = GAP
    return np.concatenate([first, np.full(shape, draw.PAPER, np.uint8), second], axis)


def _dotted(image, here, there, colours):
    """A faded, enlarged image with dots at points and lines from them to other points."""
    zoom = -(-WIDTH // image.shape[1])
    sheet = _faded(image, zoom)
    for *ends, colour in reversed(list(zip(here, there, colours, strict=True))):  # best on top
        start, end = (_place(zoom, point) for point in ends)
        for thickness, ink in ((4, draw.INK), (2, colour)):
            cv2.line(sheet, start, end, ink, thickness, cv2.LINE_AA, SUBPIXEL)
        for radius, ink in ((4, draw.INK), (3, colour)):
            cv2.circle(sheet, start, radius << SUBPIXEL, ink, -1, cv2.LINE_AA, SUBPIXEL)
    return sheet


def _faded(image, zoom):
    """The image enlarged, darkened and half grey, so that the matches' colours stand out."""
    grey = image.mean(axis=-1, keepdims=True)
    faded = np.broadcast_to(0.3 * image + 0.3 * grey + 20, image.shape).astype(np.uint8)
    return cv2.resize(faded, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)


def _spread(matches, size, most):
    """Indices of the most confident matches with a minimum distance, most confident first."""
    apart = 0.75 * np.sqrt(size[0] * size[1] / most)  # below a grid's spacing
    order = np.argsort(-matches.confidence, kind="stable")
    chosen: list[int] = []
    for index in order[: max(1, round(SURE * len(order)))]:
        distance = np.abs(matches.points[chosen] - matches.points[index]).max(axis=1)
        if len(chosen) < most and (distance >= apart).all():
            chosen.append(index)
    return chosen


def _place(zoom, point):
    """A pixel's centre on the enlarged image, in OpenCV's fixed point numbers."""
    x, y = np.rint((zoom * (point + 0.5) - 0.5) * (1 << SUBPIXEL)).astype(int).tolist()
    return x, y


def _motion_colours(motion):
    """Middlebury colours, saturated at all but the longest motions, which are not darkened."""
    length = np.hypot(motion[..., 0], motion[..., 1])[..., None]
    longest = max(float(np.quantile(length, 0.99)), 1.0)
    shown = motion * np.minimum(1, 0.999 * longest / np.maximum(length, longest))
    return draw.flow_colours(shown, largest=longest)
