"""DAIN (Bao et al. 2019)."""

import torch
from torch import nn
from torch.nn import functional

from tests.twins._kernels import adaptive_warp, head, kernel_unet, projection
from tests.twins._layers import conv, resize
from tests.twins._megadepth import megadepth
from tests.twins._pwc_net import SCALE, PWCNet


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.initScaleNets_filter = kernel_unet()
        self.initScaleNets_filter1, self.initScaleNets_filter2 = head(16), head(16)
        self.ctxNet, self.rectifyNet = _Context(), _Rectify()
        self.flownets, self.depthNet = PWCNet(), megadepth()

    def forward(self, frame0, frame1, time):
        both, other = torch.cat([frame0, frame1]), torch.cat([frame1, frame0])
        depth = self.depthNet(both)
        context = torch.cat([both, *self.ctxNet(both), depth], 1)
        flow = SCALE * resize(self.flownets(both, other), 4)
        trunk = self.initScaleNets_filter(torch.cat([frame0, frame1], 1))
        kernel = torch.cat([self.initScaleNets_filter1(trunk), self.initScaleNets_filter2(trunk)])
        times = torch.tensor([time, 1 - time]).repeat_interleave(len(frame0)).view(-1, 1, 1, 1)
        flow = projection(flow * times, 1e-6 + torch.exp(-depth))
        warped = adaptive_warp(context, flow, kernel)
        context0, context1 = warped.chunk(2)
        blend = (1 - time) * context0[:, :3] + time * context1[:, :3]
        images = context0[:, :3], context1[:, :3]
        seen = [blend, *images, *flow.chunk(2), *kernel.chunk(2), context0, context1]
        return blend + self.rectifyNet(torch.cat(seen, 1))


class _Context(nn.Module):
    def __init__(self):
        super().__init__()
        self.block1 = nn.Sequential(conv(3, 64, 7, bias=False), nn.ReLU())
        self.block2, self.block3 = _Residual(64, 4), _Residual(64, 8)

    def forward(self, x):
        first = self.block1(x)
        second = self.block2(first)
        return first, second, self.block3(second)


class _Rectify(nn.Sequential):
    def __init__(self):
        super().__init__()
        self.block1 = nn.Sequential(conv(437, 128, 7), nn.ReLU())
        self.block2, self.block3, self.block4 = (_Residual(128) for _ in range(3))
        self.block5 = nn.Sequential(conv(128, 3))


class _Residual(nn.Module):
    def __init__(self, width, dilation=1):
        super().__init__()
        options = {"padding": dilation, "dilation": dilation, "bias": False}
        self.conv1 = nn.Conv2d(width, width, 3, **options)
        self.conv2 = conv(width, width, bias=False)

    def forward(self, x):
        return functional.relu(x + self.conv2(functional.relu(self.conv1(x))))
