"""Structural similarity in each of the conventions used by published tables.

The conventions are not interchangeable: on one pair of frames "skimage" gives .941 and "rife" .996.
"""

import dataclasses

import numpy as np

from vfi_jax.arrays import Array, Image
from vfi_jax.metrics import _check, _window

K1, K2 = 0.01, 0.03  # Wang et al. 2004, sec. 3.3


@dataclasses.dataclass(frozen=True)
class Convention:
    """How local statistics are taken.

    Attributes:
      window: weights along an axis; the window is their product over the axes.
      axes: axes that it slides along: -2 and -3 are width and height, -1 colour.
      replicate: pad by edge values so that every pixel has a window; otherwise use only complete
        windows.
      unbiased: multiply covariances by n / (n - 1), where n is the number of pixels in the window.
    """

    window: tuple[float, ...]
    axes: tuple[int, ...] = (-3, -2)
    replicate: bool = False
    unbiased: bool = False


def _gaussian(size: int, sigma: float) -> tuple[float, ...]:
    weights = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * sigma**2))
    return tuple(float(weight) for weight in weights / weights.sum())


CONVENTIONS = {
    "matlab": Convention(_gaussian(11, 1.5)),
    "tf": Convention(_gaussian(11, 1.5)),
    "skimage": Convention((1 / 7,) * 7, unbiased=True),
    "rife": Convention(_gaussian(11, 1.5), axes=(-3, -2, -1), replicate=True),
}


def ssim(image: Image, reference: Image, *, convention: str = "matlab", peak: float = 1.0) -> Array:
    """Mean of ((2 m_x m_y + C1)(2 s_xy + C2)) / ((m_x^2 + m_y^2 + C1)(s_x^2 + s_y^2 + C2)).

    C1 = (K1 peak)^2 and C2 = (K2 peak)^2; m, s^2 and s_xy are local means, variances, covariance.

    Args:
      image: `[*B, H, W, C]`, any real type.
      reference: the same shape.
      convention: "matlab": 11x11 Gaussian of sigma 1.5, complete windows only (Zooming Slow-Mo;
        pass one channel for Y); "tf": the same, named after tf.image.ssim (FILM); "skimage": 7x7
        uniform, sample covariance (SepConv, softmax splatting, Xiph); "rife": 11x11x11 Gaussian
        that slides over colour too, edges replicated (RIFE, CAIN, IFRNet, AMT, EMA-VFI:
        "ssim_matlab").
      peak: the largest value a pixel can have: 1 for [0, 1], 255 for 8 bit.

    Returns:
      float32 `[*B]`, at most 1 up to rounding; mean over pixels and channels.

    Raises:
      ValueError: the shapes differ, the image is smaller than the window, or the convention is
        unknown.

    Source: Wang et al. 2004, eq. 13.
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"convention must be one of {sorted(CONVENTIONS)}, got {convention!r}")
    rule = CONVENTIONS[convention]
    image, reference = _check.pair(image, reference)
    size = len(rule.window)
    if not rule.replicate and min(image.shape[-3:-1]) < size:
        raise ValueError(
            f"image must be at least {size}x{size} for {convention}, got {image.shape}"
        )
    # Variances do not depend on an offset; centred values lose fewer digits.
    centre = reference.mean((-3, -2, -1), keepdims=True)
    x, y = image - centre, reference - centre
    mean_x, mean_y, xx, yy, xy = (_local(a, rule) for a in (x, y, x * x, y * y, x * y))
    count = size ** len(rule.axes)
    factor = count / (count - 1) if rule.unbiased else 1.0
    c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    covariance = factor * (xy - mean_x * mean_y)
    variances = factor * (xx - mean_x**2 + yy - mean_y**2)
    mean_x, mean_y = mean_x + centre, mean_y + centre
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (variances + c2)
    return (luminance * structure).mean((-3, -2, -1))


def _local(array: Array, rule: Convention) -> Array:
    """Weighted mean of the window around each pixel."""
    padding = (len(rule.window) // 2,) * 2 if rule.replicate else (0, 0)
    for axis in rule.axes:
        array = _window.slide(array, rule.window, axis, padding=padding, mode="edge")
    return array
