"""RIFE (Huang et al. 2022)."""

import torch
from torch import nn

from tests.twins._layers import conv, resize, warp

SCALES = (4, 2, 1)
BASE = 16  # channels of the refinement's finest features


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.block0, self.block1, self.block2 = _Block(6, 240), _Block(17, 150), _Block(17, 90)
        self.contextnet, self.unet = _Context(), _UNet()

    def forward(self, frame0, frame1, time):
        pair = frame0.flip(1), frame1.flip(1)  # BGR
        flow = logit = None
        for block, scale in zip((self.block0, self.block1, self.block2), SCALES, strict=True):
            seen = pair if flow is None else (*pair, *warped, logit)  # noqa: F821
            step, mask = block(torch.cat(seen, 1), flow, scale)
            flow, logit = (step, mask) if flow is None else (flow + step, logit + mask)
            warped = warp(pair[0], flow[:, :2]), warp(pair[1], flow[:, 2:])
        share = torch.sigmoid(logit)
        blend = share * warped[0] + (1 - share) * warped[1]
        contexts = [
            self.contextnet(image, part)
            for image, part in zip(pair, (flow[:, :2], flow[:, 2:]), strict=True)
        ]
        residual = 2 * self.unet(torch.cat([*pair, *warped, logit, flow], 1), *contexts) - 1
        return (blend + residual).clamp(0, 1).flip(1)


class _Block(nn.Module):
    def __init__(self, inputs, width):
        super().__init__()
        self.conv0 = nn.Sequential(_prelu(inputs, width // 2, 2), _prelu(width // 2, width, 2))
        self.convblock = nn.Sequential(*[_prelu(width, width) for _ in range(8)])
        self.lastconv = nn.ConvTranspose2d(width, 5, 4, 2, 1)

    def forward(self, x, flow, scale):
        x = resize(x, 1 / scale) if scale != 1 else x
        if flow is not None:
            flow = resize(flow, 1 / scale) / scale if scale != 1 else flow
            x = torch.cat([x, flow], 1)
        x = self.conv0(x)
        out = resize(self.lastconv(self.convblock(x) + x), 2 * scale)
        return 2 * scale * out[:, :4], out[:, 4:]


class _Context(nn.Module):
    def __init__(self):
        super().__init__()
        widths = (3, BASE, 2 * BASE, 4 * BASE, 8 * BASE)
        for number in range(1, 5):
            setattr(self, f"conv{number}", _Two(widths[number - 1], widths[number]))

    def forward(self, x, flow):
        levels = []
        for number in range(1, 5):
            x, flow = getattr(self, f"conv{number}")(x), 0.5 * resize(flow, 0.5)
            levels.append(warp(x, flow))
        return levels


class _UNet(nn.Module):
    def __init__(self):
        super().__init__()
        c = BASE
        self.down0, self.down1 = _Two(17, 2 * c), _Two(4 * c, 4 * c)
        self.down2, self.down3 = _Two(8 * c, 8 * c), _Two(16 * c, 16 * c)
        self.up0, self.up1 = _up(32 * c, 8 * c), _up(16 * c, 4 * c)
        self.up2, self.up3 = _up(8 * c, 2 * c), _up(4 * c, c)
        self.conv = conv(c, 3)

    def forward(self, x, contexts0, contexts1):
        downs = [self.down0(x)]
        for number in (1, 2, 3):
            level = number - 1
            x = torch.cat([downs[-1], contexts0[level], contexts1[level]], 1)
            downs.append(getattr(self, f"down{number}")(x))
        x = self.up0(torch.cat([downs[3], contexts0[3], contexts1[3]], 1))
        for number in (1, 2, 3):
            x = getattr(self, f"up{number}")(torch.cat([x, downs[3 - number]], 1))
        return torch.sigmoid(self.conv(x))


class _Two(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1, self.conv2 = _prelu(inputs, outputs, 2), _prelu(outputs, outputs)

    def forward(self, x):
        return self.conv2(self.conv1(x))


def _prelu(inputs, outputs, stride=1):
    return nn.Sequential(conv(inputs, outputs, stride=stride), nn.PReLU(outputs))


def _up(inputs, outputs):
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), nn.PReLU(outputs))
