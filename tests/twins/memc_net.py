"""MEMC-Net (Bao et al. 2018)."""

import torch
from torch import nn

from tests.twins._kernels import adaptive_warp, head, kernel_unet, projection
from tests.twins._layers import conv, resize

SCALE = 20.0  # pixels of the full resolution in one unit of the flow network
ENCODER = (  # name, channels, kernel
    ("conv1", 64, 7),
    ("conv2", 128, 5),
    ("conv3", 256, 5),
    ("conv3_1", 256, 3),
    ("conv4", 512, 3),
    ("conv4_1", 512, 3),
    ("conv5", 512, 3),
    ("conv5_1", 512, 3),
    ("conv6", 1024, 3),
    ("conv6_1", 1024, 3),
)


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        for name, outputs in (("filter", 16), ("occlusion", 1)):
            unet = kernel_unet(doubled=True, norms=range(10), align_corners=True)
            setattr(self, f"initScaleNets_{name}", unet)
            for number in (1, 2):
                setattr(self, f"initScaleNets_{name}{number}", head(outputs))
        layers = [conv(41, 64), nn.ReLU()]
        for _ in range(6):
            layers += [conv(64, 64), nn.ReLU()]
        self.rectifyNet, self.flownets = nn.Sequential(*layers, conv(64, 3)), _FlowNet()

    def forward(self, frame0, frame1, time):
        pairs = torch.cat([frame0, frame1], 1), torch.cat([frame1, frame0], 1)
        flow = SCALE * resize(self.flownets(torch.cat(pairs)), 4, align_corners=True)
        weight = torch.ones_like(flow[:, :1])
        flow = projection(0.5 * flow, weight, ("left", "right", "up"))  # the authors' mistake
        kernel, mask = self._pair("filter", pairs[0]), 0.5 + self._pair("occlusion", pairs[0])
        warped = adaptive_warp(torch.cat([frame0, frame1]), flow, kernel)
        blend = sum((mask * warped).chunk(2))
        seen = [blend, *flow.chunk(2), *kernel.chunk(2), *mask.chunk(2)]
        return blend + self.rectifyNet(torch.cat(seen, 1))

    def _pair(self, name, frames):
        trunk = getattr(self, f"initScaleNets_{name}")(frames)
        heads = (getattr(self, f"initScaleNets_{name}{number}") for number in (1, 2))
        return torch.cat([each(trunk) for each in heads])


class _FlowNet(nn.Module):
    """FlowNetS without batch normalisation."""

    def __init__(self):
        super().__init__()
        before = 6
        for name, width, kernel in ENCODER:
            stride = 1 if name.endswith("_1") else 2
            layer = conv(before, width, kernel, stride)
            setattr(self, name, nn.Sequential(layer, nn.LeakyReLU(0.1)))
            before = width
        self.predict_flow6 = conv(before, 2, bias=False)
        for level, width, skip in ((5, 512, 512), (4, 256, 512), (3, 128, 256), (2, 64, 128)):
            layer = nn.ConvTranspose2d(before, width, 4, 2, 1)
            setattr(self, f"deconv{level}", nn.Sequential(layer, nn.LeakyReLU(0.1)))
            name = f"upsampled_flow{level + 1}_to_{level}"
            setattr(self, name, nn.ConvTranspose2d(2, 2, 4, 2, 1, bias=False))
            before = width + skip + 2
            setattr(self, f"predict_flow{level}", conv(before, 2, bias=False))

    def forward(self, x):
        levels = {}
        for name, _, _ in ENCODER:
            x = getattr(self, name)(x)
            levels[int(name[4])] = x
        flow = self.predict_flow6(x)
        for level in (5, 4, 3, 2):
            up = getattr(self, f"upsampled_flow{level + 1}_to_{level}")(flow)
            x = torch.cat([levels[level], getattr(self, f"deconv{level}")(x), up], 1)
            flow = getattr(self, f"predict_flow{level}")(x)
        return flow
