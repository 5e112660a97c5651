"""SepConv (Niklaus et al. 2017)."""

import torch
from torch import nn
from torch.nn import functional

from tests.twins._kernels import separable
from tests.twins._layers import conv, resize

TAPS = 51
WIDTHS = (32, 64, 128, 256, 512)


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        before = 6
        for number, width in enumerate(WIDTHS, start=1):
            setattr(self, f"netConv{number}", _basic(before, width))
            before = width
        for number, width in zip((5, 4, 3, 2), (512, 256, 128, 64), strict=True):
            setattr(self, f"netDeconv{number}", _basic(before, width))
            setattr(self, f"netUpsample{number}", nn.Sequential(_Up(), conv(width, width), _relu()))
            before = width
        for side in ("Vertical1", "Vertical2", "Horizontal1", "Horizontal2"):
            setattr(self, f"net{side}", _head())

    def forward(self, frame0, frame1, time):
        # The authors' code reads BGR.
        x = torch.cat([frame0.flip(1), frame1.flip(1)], 1)
        skips = []
        for number in range(1, 6):
            x = getattr(self, f"netConv{number}")(x)
            skips.append(x)
            x = functional.avg_pool2d(x, 2)
        for number in (5, 4, 3, 2):
            x = getattr(self, f"netDeconv{number}")(x)
            x = getattr(self, f"netUpsample{number}")(x) + skips[number - 1]
        kernels = {
            side: getattr(self, f"net{side}")(x)
            for side in ("Vertical1", "Vertical2", "Horizontal1", "Horizontal2")
        }
        return sum(
            separable(frame, kernels[f"Vertical{n}"], kernels[f"Horizontal{n}"])
            for n, frame in ((1, frame0), (2, frame1))
        )


class _Up(nn.Module):
    def forward(self, x):
        return resize(x, 2, align_corners=True)


def _relu():
    return nn.ReLU()


def _basic(inputs, outputs):
    widths = (inputs, outputs, outputs)
    return nn.Sequential(*[layer for width in widths for layer in (conv(width, outputs), _relu())])


def _head():
    layers = [conv(64, 64), _relu(), conv(64, 64), _relu(), conv(64, TAPS), _relu()]
    return nn.Sequential(*layers, _Up(), conv(TAPS, TAPS))
