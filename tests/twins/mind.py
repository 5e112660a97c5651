"""MIND (Long et al. 2016), as we have it; keys are the paths of our parameters."""

import torch
from torch import nn
from torch.nn import functional

from tests.twins._layers import conv

WIDTHS = (96, 96, 128, 128, 128)
SKIPS = (2, 3, 4)


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        before = 6
        for level, width in enumerate(WIDTHS, start=1):
            setattr(self, f"encoder{level}", _Block(before, width))
            before = width
        for level in (5, 4, 3, 2, 1):
            width = WIDTHS[level - 1]
            inputs = before + (width if level in SKIPS else 0)
            setattr(self, f"decoder{level}", _Block(inputs, width, grow=True))
            before = width
        self.output = conv(before, 3, 1)

    def forward(self, frame0, frame1, time):
        x, pooled = torch.cat([frame0, frame1], 1), {}
        for level in (1, 2, 3, 4, 5):
            x = pooled[level] = functional.max_pool2d(getattr(self, f"encoder{level}")(x), 2)
        for level in (5, 4, 3, 2, 1):
            x = torch.cat([pooled[level], x], 1) if level in SKIPS else x
            x = getattr(self, f"decoder{level}")(x)
        return self.output(x)


class _Block(nn.Sequential):
    def __init__(self, inputs, width, *, grow=False):
        super().__init__()
        self.conv1 = nn.ConvTranspose2d(inputs, width, 4, 2, 1) if grow else conv(inputs, width)
        self.prelu1 = nn.PReLU(width)
        self.conv2, self.prelu2 = conv(width, width), nn.PReLU(width)
        self.conv3, self.prelu3 = conv(width, width), nn.PReLU(width)
