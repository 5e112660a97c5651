"""How good a frame is, each in the convention it names."""

from vfi_jax.metrics.psnr import psnr as psnr

__all__ = ["psnr"]
