"""Visualisation: colour-coded flow, grey depth maps, captioned grids of frames."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PAPER, INK = (250, 250, 248), (40, 40, 44)  # background and text colour of a grid
CAPTION, TITLE = 15, 20  # font sizes, in pixels
MARGIN, GAP = 18, 10  # around a grid and between its images, in pixels

# Number of hues between primary colours, red to yellow first (Baker et al. 2011, flow code).
WHEEL = (15, 6, 4, 11, 13, 6)


def flow_colours(flow: Any, *, largest: float | None = None) -> np.ndarray:
    """A flow in the Middlebury colour code: hue is direction, saturation is length, white is zero.

    Args:
      flow: `[*B, H, W, 2]` pixels, (x, y); non-finite vectors become black.
      largest: length of fully saturated colours in pixels (longer vectors are darker); None: the
        maximum length in `flow`.

    Returns:
      `[*B, H, W, 3]` uint8 RGB.

    Raises:
      ValueError: `largest` is not positive.

    Source: Baker et al. 2011, the benchmark's flow code.
    """
    flow = np.asarray(flow, np.float64)
    known = np.isfinite(flow).all(axis=-1)
    u, v = np.moveaxis(np.where(known[..., None], flow, 0), -1, 0)
    length = np.hypot(u, v)
    if largest is None:
        largest = length.max(initial=0) or 1.0
    if not largest > 0:
        raise ValueError(f"largest must be positive, got {largest}")
    length /= largest
    wheel = colour_wheel() / 255
    place = (np.arctan2(-v, -u) / np.pi + 1) / 2 * (len(wheel) - 1)
    first = np.floor(place).astype(int)
    part = (place - first)[..., None]
    colour = (1 - part) * wheel[first] + part * wheel[(first + 1) % len(wheel)]
    length = length[..., None]
    colour = np.where(length <= 1, 1 - length * (1 - colour), 0.75 * colour)
    return np.where(known[..., None], np.floor(255 * colour), 0).astype(np.uint8)


def colour_wheel() -> np.ndarray:
    """Middlebury's 55 hues, `[55, 3]` RGB in 0 .. 255: red, yellow, green, cyan, blue, magenta."""
    corners = np.array(
        [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1], [1, 0, 0]]
    )
    hues = []
    for start, end, steps in zip(corners[:-1], corners[1:], WHEEL, strict=True):
        rise = np.floor(255 * np.arange(steps) / steps)[:, None]
        # Decreasing channels are 255 minus the rounded increasing ones, hence rounded the other
        # way.
        hues.append(255 * start + rise * (end - start))
    return np.concatenate(hues)


def depth_greys(depth: Any) -> np.ndarray:
    """A depth map as an image: the nearest pixel is white, infinity black.

    Args:
      depth: `[*B, H, W, 1]`, positive, in any unit.

    Returns:
      `[*B, H, W, 1]` uint16, 65535 * smallest depth / depth.

    Source: Li and Snavely 2018 (MegaDepth), the authors' demo.
    """
    near = 1 / np.asarray(depth, np.float64)
    return np.rint(65535 * near / np.max(near)).astype(np.uint16)


def greys(values: Any, *, largest: float | None = None) -> np.ndarray:
    """One channel as a grey image, from 0 (black) to `largest` (white).

    Args:
      values: `[H, W, 1]`.
      largest: value shown as white; None: the maximum of `values`.

    Returns:
      `[H, W, 3]` uint8 RGB.
    """
    values = np.asarray(values, np.float64)
    largest = largest or values.max(initial=0) or 1.0
    return as_bytes(np.repeat(values / largest, 3, axis=-1))


def kernel_tiles(kernels: Any, cell: int) -> np.ndarray:
    """Per-pixel kernels, drawn on a grid: each cell shows the kernel of one pixel in it.

    Args:
      kernels: `[H, W, K, K]`.
      cell: side of a cell in pixels.

    Returns:
      `[H, W, 3]` uint8 RGB: 0 is black, the kernel's maximum magnitude is white, negative values
      are blue; cells have a grey border.
    """
    kernels = np.asarray(kernels, np.float64)
    height, width, taps = kernels.shape[:3]
    sheet = np.full((height, width, 3), 70, np.uint8)
    inner = cell - 2
    for top in range(0, height - cell + 1, cell):
        for left in range(0, width - cell + 1, cell):
            kernel = kernels[top + cell // 2, left + cell // 2]
            share = kernel / (np.abs(kernel).max() or 1.0)
            positive, negative = np.maximum(share, 0), np.maximum(-share, 0)
            tile = as_bytes(
                np.stack([positive, positive + 0.4 * negative, positive + negative], -1)
            )
            # Large taps are upscaled by nearest neighbour; more taps than pixels are averaged.
            method = Image.Resampling.NEAREST if taps <= inner else Image.Resampling.BOX
            resized = Image.fromarray(tile).resize((inner, inner), method)
            sheet[top + 1 : top + 1 + inner, left + 1 : left + 1 + inner] = np.asarray(resized)
    return sheet


def grid(
    rows: Sequence[Sequence[tuple[str, Any] | None]], *, title: str = "", zoom: float = 1.0
) -> np.ndarray:
    """Images of equal size in rows, each with a caption above it.

    Args:
      rows: rows of (caption, `[H, W, 3]` uint8 or floats in [0, 1]); None leaves a cell empty.
      title: title above the grid.
      zoom: scale factor of the images.

    Returns:
      `[H, W, 3]` uint8.

    Raises:
      ValueError: the images differ in size.
    """
    pictures = [as_bytes(cell[1]) for row in rows for cell in row if cell]
    sizes = {picture.shape for picture in pictures}
    if len(sizes) != 1:
        raise ValueError(f"rows must contain images of equal size, got {sorted(sizes)}")
    height, width = (round(zoom * length) for length in pictures[0].shape[:2])
    top = MARGIN + (2 * TITLE if title else 0)
    step_x, step_y = width + GAP, height + 2 * CAPTION + GAP
    columns = max(map(len, rows))
    size = 2 * MARGIN + columns * step_x - GAP, top + len(rows) * step_y - GAP + MARGIN
    sheet = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN, MARGIN), title, INK, ImageFont.load_default(TITLE))
    places = [
        (MARGIN + x * step_x, top + y * step_y, cell)
        for y, row in enumerate(rows)
        for x, cell in enumerate(row)
        if cell
    ]
    for (left, upper, (caption, _)), picture in zip(places, pictures, strict=True):
        pen.text((left, upper), caption, INK, ImageFont.load_default(CAPTION))
        resized = Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS)
        sheet.paste(resized, (left, upper + round(1.5 * CAPTION)))
    return np.asarray(sheet)


def as_bytes(picture: Any) -> np.ndarray:
    """An image as uint8: floats in [0, 1] are clipped, scaled to 255 and rounded half to even."""
    picture = np.asarray(picture)
    if picture.dtype == np.uint8:
        return picture
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
