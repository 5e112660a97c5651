"""RIFE (Huang et al. 2022)."""

import torch
from torch import nn

from tests.twins._layers import conv_prelu, resize, warp, warp_pair
from tests.twins._refinement import Two, UNet

SCALES = (4, 2, 1)
BASE = 16  # channels of the refinement's finest features


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.block0, self.block1, self.block2 = _Block(6, 240), _Block(17, 150), _Block(17, 90)
        self.contextnet, self.unet = _Context(), UNet(17, BASE)

    def forward(self, frame0, frame1, time):
        pair = frame0.flip(1), frame1.flip(1)  # BGR
        flow = logit = None
        for block, scale in zip((self.block0, self.block1, self.block2), SCALES, strict=True):
            seen = pair if flow is None else (*pair, *warped, logit)  # noqa: F821
            step, mask = block(torch.cat(seen, 1), flow, scale)
            flow, logit = (step, mask) if flow is None else (flow + step, logit + mask)
            warped = warp_pair(pair, flow)
        share = torch.sigmoid(logit)
        blend = share * warped[0] + (1 - share) * warped[1]
        contexts = [
            self.contextnet(image, part)
            for image, part in zip(pair, (flow[:, :2], flow[:, 2:]), strict=True)
        ]
        residual = self.unet(torch.cat([*pair, *warped, logit, flow], 1), *contexts)
        return (blend + residual).clamp(0, 1).flip(1)


class _Block(nn.Module):
    def __init__(self, inputs, width):
        super().__init__()
        self.conv0 = nn.Sequential(
            conv_prelu(inputs, width // 2, 2), conv_prelu(width // 2, width, 2)
        )
        self.convblock = nn.Sequential(*[conv_prelu(width, width) for _ in range(8)])
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
            setattr(self, f"conv{number}", Two(widths[number - 1], widths[number]))

    def forward(self, x, flow):
        levels = []
        for number in range(1, 5):
            x, flow = getattr(self, f"conv{number}")(x), 0.5 * resize(flow, 0.5)
            levels.append(warp(x, flow))
        return levels
