"""Practical-RIFE 4.25."""

import torch
from torch import nn
from torch.nn import functional

from tests.twins._layers import conv, resize, warp_pair

CHANNELS = (192, 128, 96, 64, 32)
SCALES = (16, 8, 4, 2, 1)
HANDED = 8


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = _Encoder()
        for number, width in enumerate(CHANNELS):
            setattr(self, f"block{number}", Block(28 if number else 15, width))

    def forward(self, frame0, frame1, time):
        pair = (
            torch.cat([frame0, self.encode(frame0)], 1),
            torch.cat([frame1, self.encode(frame1)], 1),
        )
        plane = torch.full_like(frame0[:, :1], time)
        flow = None
        seen = torch.cat([frame0, frame1, pair[0][:, 3:], pair[1][:, 3:], plane], 1)
        for number, scale in enumerate(SCALES):
            step, logit, handed = getattr(self, f"block{number}")(seen, flow, scale)
            flow = step if flow is None else flow + step
            warped = warp_pair(pair, flow)
            images, features = ([w[:, :3] for w in warped], [w[:, 3:] for w in warped])
            seen = torch.cat([*images, *features, plane, logit, handed], 1)
        share = torch.sigmoid(logit)
        return share * images[0] + (1 - share) * images[1]


class _Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.cnn0, self.cnn1, self.cnn2 = conv(3, 16, stride=2), conv(16, 16), conv(16, 16)
        self.cnn3 = nn.ConvTranspose2d(16, 4, 4, 2, 1)

    def forward(self, x):
        for layer in (self.cnn0, self.cnn1, self.cnn2):
            x = _leaky(layer(x))
        return self.cnn3(x)


class Block(nn.Module):
    def __init__(self, inputs, width, handed=HANDED):
        super().__init__()
        self.conv0 = nn.Sequential(_activated(inputs, width // 2), _activated(width // 2, width))
        self.convblock = nn.Sequential(*[_Residual(width) for _ in range(8)])
        last = nn.ConvTranspose2d(width, 4 * (5 + handed), 4, 2, 1)
        self.lastconv = nn.Sequential(last, nn.PixelShuffle(2))

    def forward(self, x, flow, scale):
        x = resize(x, 1 / scale) if scale != 1 else x
        if flow is not None:
            flow = resize(flow, 1 / scale) / scale if scale != 1 else flow
            x = torch.cat([x, flow], 1)
        x = self.lastconv(self.convblock(self.conv0(x)))
        x = resize(x, scale) if scale != 1 else x
        return scale * x[:, :4], x[:, 4:5], x[:, 5:]


class _Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.beta = nn.Parameter(torch.ones(1, width, 1, 1))
        self.conv = conv(width, width)

    def forward(self, x):
        return _leaky(self.conv(x) * self.beta + x)


def _activated(inputs, outputs):
    return nn.Sequential(conv(inputs, outputs, stride=2), nn.LeakyReLU(0.2))


def _leaky(x):
    return functional.leaky_relu(x, 0.2)
