"""Writing PNG files."""

from pathlib import Path

import cv2
import numpy as np

from vfi_jax.images.colour import PLAIN, Colour, insert


def write(path: Path, pixels: np.ndarray, *, colour: Colour = PLAIN) -> None:
    """Write `[H, W, 1, 3 or 4]` uint8 or uint16 as PNG, losslessly, with its colour space."""
    path.write_bytes(insert(encode(pixels), colour))


def encode(pixels: np.ndarray) -> bytes:
    """Encode `[H, W, 1, 3 or 4]` uint8 or uint16 as the bytes of a PNG file.

    Raises:
      ValueError: wrong shape or type.
    """
    if pixels.ndim != 3 or pixels.shape[-1] not in (1, 3, 4):
        raise ValueError(f"an image must be [H, W, 1, 3 or 4], got {pixels.shape}")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"an image must be uint8 or uint16 to be a PNG, got {pixels.dtype}")
    if pixels.shape[-1] > 1:
        code = cv2.COLOR_RGBA2BGRA if pixels.shape[-1] == 4 else cv2.COLOR_RGB2BGR
        pixels = cv2.cvtColor(pixels, code)
    done, data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise ValueError(f"a frame of shape {pixels.shape} cannot be written as PNG")
    return data.tobytes()
