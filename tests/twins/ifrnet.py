"""IFRNet (Kong et al. 2022)."""

import torch
from torch import nn

from tests.twins._ifrnet import Encoder, add_decoders
from tests.twins._layers import resize, warp_pair

WIDTHS = (32, 48, 72, 96)
SIDE = 32  # channels of the side convolutions


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder(WIDTHS)
        add_decoders(self, WIDTHS, SIDE, 8)

    def forward(self, frame0, frame1, time):
        mean = torch.cat([frame0, frame1], 2).mean((1, 2, 3), keepdim=True)
        frame0, frame1 = frame0 - mean, frame1 - mean
        pyramids = self.encoder(frame0), self.encoder(frame1)
        pair = pyramids[0][3], pyramids[1][3]
        out = self.decoder4(*pair, torch.full_like(pair[0][:, :1], time))
        flow, features = out[:, :4], out[:, 4:]
        for level in (3, 2, 1):
            pair = (pyramid[level - 1] for pyramid in pyramids)
            warped = warp_pair(pair, flow)
            out = getattr(self, f"decoder{level}")(features, *warped, flow)
            flow, features = out[:, :4] + 2 * resize(flow, 2), out[:, 4:]
        warped0, warped1 = warp_pair((frame0, frame1), flow)
        share = torch.sigmoid(features[:, :1])
        blend = share * warped0 + (1 - share) * warped1
        return (blend + mean + features[:, 1:]).clamp(0, 1)
