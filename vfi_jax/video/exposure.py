"""Exposure of a camera: the mean of light while the shutter is open."""

import functools
from collections.abc import Iterable

import cv2
import numpy as np

from vfi_jax.video.colour import HLG, LINEAR, PQ
from vfi_jax.video.colour import HLG_A as A
from vfi_jax.video.colour import HLG_B as B
from vfi_jax.video.colour import HLG_C as C

GAMMA = 2.2  # of a display: light = value ** GAMMA
M1, M2, C1, C2, C3 = 1305 / 8192, 2523 / 32, 107 / 128, 2413 / 128, 2392 / 128  # ST 2084


def exposed(frames: Iterable[tuple[np.ndarray, float]], transfer: int) -> np.ndarray:
    """The weighted mean of frames in linear light; a single frame is returned unchanged.

    Transparent pixels contribute in proportion to their alpha.

    Args:
      frames: one or more (frame, weight), read one by one. Frames are `[H, W, 3 or 4]` uint8,
        uint16 or float32, of equal shape and type.
      transfer: FFmpeg's code of the transfer function; except for PQ, HLG and linear, a display
        gamma of 2.2 is assumed.
    """
    frames = iter(frames)
    first, total = next(frames)
    light = None
    for frame, weight in frames:
        if light is None and frame is not first:
            light = total * _light(first, transfer)
        if light is not None:
            light += np.float32(weight) * _light(frame, transfer)
        total += weight
    return first if light is None else _picture(light / total, first.dtype, transfer)


def _light(frame, transfer):
    """Linear light of a frame, multiplied by alpha, and alpha."""
    if frame.dtype == np.float32:
        colours = frame[..., :3]
        return (
            frame
            if transfer == LINEAR
            else np.concatenate([np.maximum(colours, 0) ** GAMMA, frame[..., 3:]], axis=-1)
        )
    light = _looked_up(frame, _lights(frame.dtype, transfer))
    if frame.shape[-1] == 4:
        light[..., 3] = frame[..., 3] / np.float32(np.iinfo(frame.dtype).max)
        light[..., :3] *= light[..., 3:]
    return light


def _looked_up(frame, table):
    return cv2.LUT(frame, table) if frame.dtype == np.uint8 else table[frame]


@functools.cache
def _lights(dtype, transfer):
    """Table from values to linear light in [0, 1]."""
    values = np.linspace(0, 1, np.iinfo(dtype).max + 1)
    if transfer == PQ:
        root = values ** (1 / M2)
        light = (np.maximum(root - C1, 0) / (C2 - C3 * root)) ** (1 / M1)
    elif transfer == HLG:
        light = np.where(values <= 0.5, values**2 / 3, (np.exp((values - C) / A) + B) / 12)
    else:
        light = values**GAMMA
    return light.astype(np.float32)


def _picture(light, dtype, transfer):
    if dtype == np.float32:
        if transfer != LINEAR:
            light[..., :3] **= 1 / GAMMA
        return light.astype(np.float32)
    most = np.iinfo(dtype).max
    if light.shape[-1] == 4:
        light[..., :3] /= np.maximum(light[..., 3:], 1 / most**2)
    values = _values(np.clip(light, 0, 1), transfer)
    values[..., 3:] = light[..., 3:]
    return np.rint(values * most).astype(dtype)


def _values(light, transfer):
    if transfer == PQ:
        power = light**M1
        return ((C1 + C2 * power) / (1 + C3 * power)) ** M2
    if transfer == HLG:
        bright = A * np.log(np.maximum(12 * light - B, 1 - B)) + C
        return np.where(light <= 1 / 12, np.sqrt(3 * light), bright)
    return light ** (1 / GAMMA)
