"""IFRNet's pyramid and decoders, which other systems share."""

import torch
from torch import nn

from tests.twins._layers import conv, conv_prelu


class Encoder(nn.Module):
    def __init__(self, widths):
        super().__init__()
        before = 3
        for number, width in enumerate(widths, start=1):
            layers = conv_prelu(before, width, 2), conv_prelu(width, width)
            setattr(self, f"pyramid{number}", nn.Sequential(*layers))
            before = width
        self.count = len(widths)

    def forward(self, x):
        levels = []
        for number in range(1, self.count + 1):
            x = getattr(self, f"pyramid{number}")(x)
            levels.append(x)
        return levels


class Decoder(nn.Module):
    def __init__(self, inputs, width, side, outputs):
        super().__init__()
        last = nn.ConvTranspose2d(width, outputs, 4, 2, 1)
        self.convblock = nn.Sequential(conv_prelu(inputs, width), _Residual(width, side), last)

    def forward(self, *parts):
        return self.convblock(torch.cat(parts, 1))


def add_decoders(module, widths, side, last):
    """decoder4 to decoder1, the coarsest first; `last` channels come out of the finest."""
    inputs, outputs = 2 * widths[-1] + 1, (last, *(4 + width for width in widths))
    for level in range(len(widths), 0, -1):
        hidden = (2 if level == len(widths) else 3) * widths[level - 1]
        decoder = Decoder(inputs, hidden, side, outputs[level - 1])
        setattr(module, f"decoder{level}", decoder)
        inputs = 3 * widths[level - 2] + 4


class _Residual(nn.Module):
    def __init__(self, width, side):
        super().__init__()
        self.conv1, self.conv3 = conv_prelu(width, width), conv_prelu(width, width)
        self.conv2, self.conv4 = conv_prelu(side, side), conv_prelu(side, side)
        self.conv5, self.prelu, self.side = conv(width, width), nn.PReLU(width), side

    def forward(self, x):
        inside = x
        for whole, part in ((self.conv1, self.conv2), (self.conv3, self.conv4)):
            inside = whole(inside)
            kept, side = inside[:, : -self.side], inside[:, -self.side :]
            inside = torch.cat([kept, part(side)], 1)
        return self.prelu(x + self.conv5(inside))
