"""RIFE's refinement, which other systems share."""

import torch
from torch import nn

from tests.twins._layers import conv, conv_prelu, up_prelu


class UNet(nn.Module):
    def __init__(self, inputs, c):
        super().__init__()
        self.down0, self.down1 = Two(inputs, 2 * c), Two(4 * c, 4 * c)
        self.down2, self.down3 = Two(8 * c, 8 * c), Two(16 * c, 16 * c)
        self.up0, self.up1 = up_prelu(32 * c, 8 * c), up_prelu(16 * c, 4 * c)
        self.up2, self.up3 = up_prelu(8 * c, 2 * c), up_prelu(4 * c, c)
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
        return 2 * torch.sigmoid(self.conv(x)) - 1


class Two(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1, self.conv2 = conv_prelu(inputs, outputs, 2), conv_prelu(outputs, outputs)

    def forward(self, x):
        return self.conv2(self.conv1(x))
