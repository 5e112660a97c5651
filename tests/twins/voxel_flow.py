"""Deep Voxel Flow (Liu et al. 2017), as its PyTorch port has it."""

import torch
from torch import nn
from torch.nn import functional

from tests.twins._layers import resize, warp

LAYERS = {  # (inputs, outputs, kernel)
    "conv1": (6, 64, 5),
    "conv2": (64, 128, 5),
    "conv3": (128, 256, 3),
    "bottleneck": (256, 256, 3),
    "deconv1": (512, 256, 3),
    "deconv2": (384, 128, 5),
    "deconv3": (192, 64, 5),
}


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        for name, (inputs, outputs, kernel) in LAYERS.items():
            layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
            setattr(self, name, layer)
            setattr(self, f"{name}_bn", nn.BatchNorm2d(outputs))
        self.conv4 = nn.Conv2d(64, 3, 5, padding=2)

    def forward(self, frame0, frame1, time):
        # The port reads BGR in [-1, 1].
        x, skips = 2 * torch.cat([frame0.flip(1), frame1.flip(1)], 1) - 1, []
        for name in ("conv1", "conv2", "conv3"):
            skips.append(self._layer(name, x))
            x = functional.max_pool2d(skips[-1], 2)
        x = self._layer("bottleneck", x)
        for name in ("deconv1", "deconv2", "deconv3"):
            x = self._layer(name, torch.cat([resize(x, 2), skips.pop()], 1))
        x = torch.tanh(self.conv4(x))
        height, width = x.shape[2:]
        # Half of the grid's unit, which is half the frame less a pixel.
        flow = 0.25 * x[:, :2] * torch.tensor([width - 1, height - 1]).view(1, 2, 1, 1)
        mask = 0.5 * (1 + x[:, 2:])
        return mask * warp(frame0, -flow) + (1 - mask) * warp(frame1, flow)

    def _layer(self, name, x):
        return functional.relu(getattr(self, f"{name}_bn")(getattr(self, name)(x)))
