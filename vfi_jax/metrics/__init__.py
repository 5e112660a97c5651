"""Image and video quality metrics. Each docstring names the convention it follows."""

from vfi_jax.metrics.gmsd import gmsd
from vfi_jax.metrics.haarpsi import haarpsi
from vfi_jax.metrics.interpolation_error import interpolation_error, normalised_interpolation_error
from vfi_jax.metrics.lpips import lpips
from vfi_jax.metrics.luma import luma
from vfi_jax.metrics.psnr import psnr
from vfi_jax.metrics.smoothness import motion_smoothness
from vfi_jax.metrics.ssim import ssim
from vfi_jax.metrics.temporal import flow_difference, warping_error
from vfi_jax.metrics.vif import vif

__all__ = [
    "flow_difference",
    "gmsd",
    "haarpsi",
    "interpolation_error",
    "lpips",
    "luma",
    "motion_smoothness",
    "normalised_interpolation_error",
    "psnr",
    "ssim",
    "vif",
    "warping_error",
]
