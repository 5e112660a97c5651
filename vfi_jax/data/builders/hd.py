"""MEMC-Net's HD set (Bao et al. 2018, arXiv:1810.08768): 11 raw videos, 544 to 1080 rows."""

import functools
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vfi_jax import images
from vfi_jax.data import layout, sample_tree
from vfi_jax.data.clip import Clip

LAYOUT = """\
HD720p_GT/parkrun_1280x720_50.yuv shields_1280x720_60.yuv stockholm_1280x720_60.yuv
HD1080p_GT/BlueSky.yuv Kimono1_1920x1080_24.yuv ParkScene_1920x1080_24.yuv sunflower_1080p25.yuv
HD544p_GT/Sintel_Alley2_1280x544.yuv Sintel_Market5_.. Sintel_Temple1_.. Sintel_Temple2_..
planar 4:2:0, 8 bit"""
SPLITS = ("test",)

SIZES = {"HD544p_GT": (544, 1280), "HD720p_GT": (720, 1280), "HD1080p_GT": (1080, 1920)}
STARTS = range(0, 99, 2)  # inputs i and i + 2, target i + 1

# Full-range BT.601, as in scikit-image's yuv2rgb.
RGB_OF_YUV = np.array(
    [[1, 0, 1.13988303], [1, -0.394642334, -0.58062185], [1, 2.03206185, 0]], np.float64
)


def clips(root: Path, split: str) -> Iterator[Clip]:
    """Up to 50 triplets of each video.

    Args:
      root: contains the three folders.
      split: "test".
    """
    for name, size in SIZES.items():
        for file in images.natural(layout.find(root, name, layout=LAYOUT).glob("*.yuv")):
            count = file.stat().st_size // (size[0] * size[1] * 3 // 2)
            for start in STARTS:
                if start + 2 < count:
                    frames = (functools.partial(read, file, size, start + k) for k in range(3))
                    yield Clip(f"{_short(file)}/{start + 1:03d}", tuple(frames))


def sample(root: Path, variant: str = "") -> None:
    """Write five frames of one video, which form two triplets."""
    for name in SIZES:
        (root / name).mkdir(parents=True)
    height, width = SIZES["HD544p_GT"]
    frames = [np.full(height * width * 3 // 2, 128, np.uint8) for _ in range(5)]
    for frame, level in zip(frames, sample_tree.levels(5), strict=True):
        frame[: height * width] = level
    np.concatenate(frames).tofile(root / "HD544p_GT/Sintel_Alley2_1280x544.yuv")


def read(file: Path, size: tuple[int, int], index: int) -> np.ndarray:
    """A frame of a raw 4:2:0 file as uint8 RGB, with nearest-neighbour chroma and truncation.

    Args:
      file: planes Y, U, V of each frame in sequence.
      size: height and width.
      index: index of the frame.

    Source: MEMC-Net's reader, used by all later evaluations on this set.
    """
    height, width = size
    luma, chroma = height * width, height * width // 4
    data = np.fromfile(file, np.uint8, luma + 2 * chroma, offset=index * (luma + 2 * chroma))
    planes = [data[:luma].reshape(size) / 255]
    for start in (luma, luma + chroma):
        plane = data[start : start + chroma].reshape(height // 2, width // 2) / 255 - 0.5
        planes.append(plane.repeat(2, axis=0).repeat(2, axis=1))
    rgb = np.stack(planes, axis=-1) @ RGB_OF_YUV.T
    return (255 * np.clip(rgb, 0, 1)).astype(np.uint8)


def _short(file):
    return re.sub(r"_\d+x\d+.*", "", file.stem)
