"""Similarity of frames, for scene cuts, still pictures and held drawings."""

import cv2
import numpy as np

from vfi_jax.video.colour import over_black, white

BLOCK = 8  # pixels
SIZE = 32, 18  # width and height of a thumbnail; motion within a shot hardly changes it
NOISE = 2e-4  # variance below which a frame has no structure to compare
# Limits of coding noise between repeated frames, for samples in [0, 1].
FAINT = 12 / 255  # maximum change of a sample
RARE = 0.1 / 255  # maximum of the mean change


def thumbnail(pixels: np.ndarray) -> np.ndarray:
    """A thumbnail of a frame; transparent pixels are composited over black.

    Args:
      pixels: `[H, W, 3 or 4]` uint8, uint16 or float32.

    Returns:
      `[18, 32, 3]` float32 in [0, 1].
    """
    return _shrunk(pixels, *SIZE)


def blocks(pixels: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Means of a frame's blocks of 8x8 pixels, composited over black.

    Args:
      pixels: `[H, W, 3 or 4]` uint8, uint16 or float32.
      mask: `[H, W]`; blocks in which any pixel of it is not 0 are set to 0.

    Returns:
      `[about H / 8, about W / 8, 3]` float32 in [0, 1].
    """
    height, width = (max(round(side / BLOCK), 1) for side in pixels.shape[:2])
    means = _shrunk(pixels, width, height)
    if mask is not None:
        means[cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA) > 0] = 0
    return means


def change(thumbnail0: np.ndarray, thumbnail1: np.ndarray) -> float:
    """Dissimilarity of two frames: 0 (equal) to 1 (nothing in common).

    One minus the correlation of the thumbnails. Flashes and fades change brightness and contrast
    but not structure, and are therefore not cuts.
    """
    difference0, difference1 = (small - small.mean() for small in (thumbnail0, thumbnail1))
    shared = (difference0 * difference1).mean() + NOISE
    spread = np.sqrt(((difference0**2).mean() + NOISE) * ((difference1**2).mean() + NOISE))
    return float(np.clip(1 - shared / spread, 0, 1))


def is_repeat(pixels0: np.ndarray, pixels1: np.ndarray) -> bool:
    """Whether two frames `[H, W, 3 or 4]` of one type are equal up to coding noise."""
    full = white(pixels0)
    if pixels0.dtype == np.float32:
        pixels0, pixels1 = _visible(pixels0), _visible(pixels1)
    if cv2.norm(pixels0, pixels1, cv2.NORM_INF) > FAINT * full:
        return False
    return cv2.norm(pixels0, pixels1, cv2.NORM_L1) <= RARE * full * pixels0.size


def _shrunk(pixels, width, height):
    """A downscaled frame composited over black; float32 in [0, 1]."""
    if pixels.shape[-1] == 4:
        pixels = over_black(pixels)
    if pixels.dtype == np.float32:
        pixels = _visible(pixels)
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / np.float32(white(pixels))


def _visible(pixels):
    """Floats on a scale of about uniform visibility; white is 1."""
    return np.sqrt(pixels.clip(0, 1))
