"""Published scores on Middlebury OTHER that converted weights must reproduce."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Published:
    """A published score.

    Attributes:
      protocol: protocol of the measurement.
      scores: means over the 12 sequences, by metric.
      tolerance: half a unit of the last printed digit, plus a margin for float32.
      source: table of the paper.
    """

    protocol: str
    scores: Mapping[str, float]
    tolerance: Mapping[str, float]
    source: str


_SEPCONV = {"psnr": 0.01, "ssim": 0.001}
_IFRNET = ({"psnr": 0.01, "ssim": 0.0002}, "ltkong218/IFRNet figures/middlebury_other.png")

MIDDLEBURY: Mapping[str, Published] = {
    "sepconv/l1": Published(
        "sepconv-paper-padding",
        {"psnr": 35.73, "ssim": 0.959},
        _SEPCONV,
        "sniklaus/sepconv-slomo benchmark.py",
    ),
    "sepconv/lf": Published(
        "sepconv-paper-padding",
        {"psnr": 35.03, "ssim": 0.954},
        _SEPCONV,
        "sniklaus/sepconv-slomo benchmark.py",
    ),
    "dain": Published("dain", {"ie": 2.04}, {"ie": 0.01}, "arXiv:1904.00830, table 2"),
    "rife": Published("rife-middlebury", {"ie": 1.956}, {"ie": 0.005}, "ECCV2022-RIFE README"),
    "ifrnet": Published("ifrnet-middlebury", {"psnr": 37.50, "ssim": 0.9861}, *_IFRNET),
    "ifrnet/l": Published("ifrnet-middlebury", {"psnr": 38.18, "ssim": 0.9875}, *_IFRNET),
    "ifrnet/s": Published("ifrnet-middlebury", {"psnr": 37.24, "ssim": 0.9851}, *_IFRNET),
}
