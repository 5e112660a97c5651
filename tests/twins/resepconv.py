"""SepConv++ (Niklaus et al. 2021)."""

import itertools

import torch
from torch import nn

from tests.twins._grid_net import Block, standardised
from tests.twins._kernels import separable
from tests.twins._layers import conv, upsampling

TAPS = 51
WIDTHS = (32, 64, 128, 256, 512)
NO_WEIGHT = 0.01


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        shared = {"bias": True, "slopes": 1}
        self.netInput, pairs = conv(3, 16), list(itertools.pairwise(WIDTHS))
        encode, decode = nn.Module(), nn.Module()
        down = (Block(before, width, stride=2, **shared) for before, width in pairs)
        encode.netVer = nn.ModuleList([nn.Identity(), *down])
        across = (Block(width, width, residual=True, **shared) for width in WIDTHS[:0:-1])
        decode.netHor = nn.ModuleList(across)
        up = (Block(before, width, double=True, **shared) for width, before in pairs[:0:-1])
        decode.netVer = nn.ModuleList([nn.Identity(), *up])
        self.netEncode, self.netDecode = nn.ModuleList([encode]), nn.ModuleList([decode])
        for name in ("Verone", "Vertwo", "Horone", "Hortwo"):
            layers = upsampling(2), conv(64, 64), nn.PReLU(), conv(64, TAPS)
            head = nn.Module()
            head.netMain = nn.Sequential(*layers)
            setattr(self, f"net{name}", head)

    def forward(self, frame0, frame1, time):
        seen = standardised(frame0.flip(1), frame1.flip(1))[:2]  # BGR
        rows = [torch.cat([self.netInput(frame) for frame in seen], 1)]
        for down in self.netEncode[0].netVer[1:]:
            rows.append(down(rows[-1]))
        across, up = self.netDecode[0].netHor, self.netDecode[0].netVer
        x = across[0](rows[4])
        for index in (1, 2, 3):
            here = across[index](rows[4 - index])
            x = here + up[index](x)[:, :, : here.shape[2], : here.shape[3]]
        total = 0.0
        for name, frame in (("one", frame0), ("two", frame1)):
            vertical, horizontal = (
                getattr(self, f"net{side}{name}").netMain(x) for side in ("Ver", "Hor")
            )
            ones = torch.ones_like(frame[:, :1])
            total = total + separable(torch.cat([frame, ones], 1), vertical, horizontal)
        weight = total[:, 3:]
        return total[:, :3] / torch.where(weight.abs() < NO_WEIGHT, 1.0, weight)
