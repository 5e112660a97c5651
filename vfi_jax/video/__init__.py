"""Interpolation of video files and folders of images."""

from vfi_jax.video.clips import read_frames, write_frames
from vfi_jax.video.interpolate import interpolate_video
from vfi_jax.video.options import Computing, Output, Timing
from vfi_jax.video.report import Report

__all__ = [
    "Computing",
    "Output",
    "Report",
    "Timing",
    "interpolate_video",
    "read_frames",
    "write_frames",
]
