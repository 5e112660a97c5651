"""PWC-Net (Sun et al. 2018), as DAIN has it."""

import torch
from torch import nn
from torch.nn import functional

from tests.twins._layers import conv, cost_volume, warp

FEATURES = (16, 32, 64, 96, 128, 196)
DENSE = (128, 128, 96, 64, 32)
CONTEXT = ((128, 1), (128, 2), (128, 4), (96, 8), (64, 16), (32, 1))  # channels, dilation
SCALE = 20.0  # pixels of the full resolution in one unit


class PWCNet(nn.Module):
    def __init__(self):
        super().__init__()
        before = 3
        for level, width in enumerate(FEATURES, start=1):
            for name, stride in zip(_names(level), (2, 1, 1), strict=True):
                setattr(self, name, _leaky(before, width, stride))
                before = width
        coarser = 0
        for level in (6, 5, 4, 3, 2):
            x = 81 + (FEATURES[level - 1] + coarser if level < 6 else 0)
            for index, width in enumerate(DENSE):
                setattr(self, f"conv{level}_{index}", _leaky(x, width))
                x += width
            setattr(self, f"predict_flow{level}", conv(x, 2))
            setattr(self, f"deconv{level}", nn.ConvTranspose2d(2, 2, 4, 2, 1))
            if level > 2:
                setattr(self, f"upfeat{level}", nn.ConvTranspose2d(x, 2, 4, 2, 1))
            coarser = 4
        for number, (width, dilation) in enumerate(CONTEXT, start=1):
            layer = nn.Conv2d(x, width, 3, padding=dilation, dilation=dilation)
            setattr(self, f"dc_conv{number}", nn.Sequential(layer, nn.LeakyReLU(0.1)))
            x = width
        self.dc_conv7 = conv(x, 2)

    def forward(self, frame0, frame1):
        """Flow at a quarter of the resolution, in the network's unit."""
        pyramid = [torch.cat([frame0, frame1])]
        for level in range(1, 7):
            x = pyramid[-1]
            for name in _names(level):
                x = getattr(self, name)(x)
            pyramid.append(x)
        flow = None
        for level in (6, 5, 4, 3, 2):
            features0, features1 = pyramid[level].chunk(2)
            if flow is None:
                x = functional.leaky_relu(cost_volume(features0, features1), 0.1)
            else:
                flow = getattr(self, f"deconv{level + 1}")(flow)
                up = getattr(self, f"upfeat{level + 1}")(x)
                features1 = _warp(features1, flow * (SCALE / 2**level))
                volume = functional.leaky_relu(cost_volume(features0, features1), 0.1)
                x = torch.cat([volume, features0, flow, up], 1)
            for index in range(len(DENSE)):
                x = torch.cat([getattr(self, f"conv{level}_{index}")(x), x], 1)
            flow = getattr(self, f"predict_flow{level}")(x)
        for number in range(1, 8):
            x = getattr(self, f"dc_conv{number}")(x)
        return flow + x


def _names(level):
    order = ("aa", "a", "b") if level == 6 else ("a", "aa", "b")
    return [f"conv{level}{suffix}" for suffix in order]


def _warp(image, flow):
    inside = warp(torch.ones_like(image[:, :1]), flow, padding="zeros") > 0.9999
    return warp(image, flow, padding="zeros") * inside


def _leaky(inputs, outputs, stride=1):
    return nn.Sequential(conv(inputs, outputs, stride=stride), nn.LeakyReLU(0.1))
