"""IFRNet (Kong et al. 2022)."""

import torch
from torch import nn

from tests.twins._layers import conv, resize, warp

WIDTHS = (32, 48, 72, 96)
SIDE = 32  # channels of the side convolutions


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = _Encoder()
        inputs, outputs = 2 * WIDTHS[-1] + 1, (8, *(4 + width for width in WIDTHS))
        for level in (4, 3, 2, 1):
            width = WIDTHS[level - 1]
            hidden = (2 if level == 4 else 3) * width
            setattr(self, f"decoder{level}", _Decoder(inputs, hidden, outputs[level - 1]))
            inputs = 3 * WIDTHS[level - 2] + 4

    def forward(self, frame0, frame1, time):
        mean = torch.cat([frame0, frame1], 2).mean((1, 2, 3), keepdim=True)
        frame0, frame1 = frame0 - mean, frame1 - mean
        pyramid0, pyramid1 = self.encoder(frame0), self.encoder(frame1)
        flow = None
        for level in (4, 3, 2, 1):
            pair = pyramid0[level - 1], pyramid1[level - 1]
            if flow is None:
                seen = [*pair, torch.full_like(pair[0][:, :1], time)]
            else:
                warped = warp(pair[0], flow[:, :2]), warp(pair[1], flow[:, 2:])
                seen = [features, *warped, flow]  # noqa: F821
            out = getattr(self, f"decoder{level}")(torch.cat(seen, 1))
            step, features = out[:, :4], out[:, 4:]
            flow = step if flow is None else step + 2 * resize(flow, 2)
        warped = warp(frame0, flow[:, :2]), warp(frame1, flow[:, 2:])
        share = torch.sigmoid(features[:, :1])
        blend = share * warped[0] + (1 - share) * warped[1]
        return (blend + mean + features[:, 1:]).clamp(0, 1)


class _Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        before = 3
        for number, width in enumerate(WIDTHS, start=1):
            layers = _prelu(before, width, 2), _prelu(width, width)
            setattr(self, f"pyramid{number}", nn.Sequential(*layers))
            before = width

    def forward(self, x):
        levels = []
        for number in range(1, 5):
            x = getattr(self, f"pyramid{number}")(x)
            levels.append(x)
        return levels


class _Decoder(nn.Module):
    def __init__(self, inputs, width, outputs):
        super().__init__()
        last = nn.ConvTranspose2d(width, outputs, 4, 2, 1)
        self.convblock = nn.Sequential(_prelu(inputs, width), _Residual(width), last)

    def forward(self, x):
        return self.convblock(x)


class _Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1, self.conv3 = _prelu(width, width), _prelu(width, width)
        self.conv2, self.conv4 = _prelu(SIDE, SIDE), _prelu(SIDE, SIDE)
        self.conv5, self.prelu = conv(width, width), nn.PReLU(width)

    def forward(self, x):
        inside = x
        for whole, part in ((self.conv1, self.conv2), (self.conv3, self.conv4)):
            inside = whole(inside)
            inside = torch.cat([inside[:, :-SIDE], part(inside[:, -SIDE:])], 1)
        return self.prelu(x + self.conv5(inside))


def _prelu(inputs, outputs, stride=1):
    return nn.Sequential(conv(inputs, outputs, stride=stride), nn.PReLU(outputs))
