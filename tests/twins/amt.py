"""AMT-S (Li et al. 2023)."""

import torch
from torch import nn
from torch.nn import functional

from tests.twins._ifrnet import Encoder, add_decoders
from tests.twins._layers import conv, grid, resize, warp_pair

WIDTHS = (20, 32, 44, 56)
SIDE = 20
FIELDS = 3
LEVELS, RADIUS = 4, 3  # of the correlations


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.feat_encoder, self.encoder = _Matching(), Encoder(WIDTHS)
        add_decoders(self, WIDTHS, SIDE, 8 * FIELDS)
        for level in (4, 3, 2):
            setattr(self, f"update{level}", _Update(WIDTHS[level - 2]))
        layers = conv(3 * FIELDS, 6 * FIELDS), nn.PReLU(6 * FIELDS), conv(6 * FIELDS, 3)
        self.comb_block = nn.Sequential(*layers)

    def forward(self, frame0, frame1, time):
        mean = torch.cat([frame0, frame1], 2).mean((1, 2, 3), keepdim=True)
        frame0, frame1 = frame0 - mean, frame1 - mean
        matched = self.feat_encoder(torch.cat([frame0, frame1])).chunk(2)
        volumes = _volumes(*matched), _volumes(*matched[::-1])
        pyramids = self.encoder(frame0), self.encoder(frame1)
        flow = None
        for level in (4, 3, 2):
            pair, decoder = [p[level - 1] for p in pyramids], getattr(self, f"decoder{level}")
            if flow is None:
                out = decoder(*pair, torch.full_like(pair[0][:, :1], time))
                flow, features = out[:, :4], out[:, 4:]
            else:
                out = decoder(features, *warp_pair(pair, flow), flow)
                flow, features = out[:, :4] + 2 * resize(flow, 2), out[:, 4:]
            scale = 2 ** (4 - level)  # of the level to 1/8 of the resolution
            coarse = flow if scale == 1 else resize(flow, 1 / scale) / scale
            seen = features if scale == 1 else resize(features, 1 / scale)
            # As the authors have it: each direction at the other's flow, over its own time.
            there, back = coarse[:, 2:] / time, coarse[:, :2] / (1 - time)
            found = torch.cat([_around(volumes[0], there), _around(volumes[1], back)], 1)
            step, change = getattr(self, f"update{level}")(seen, coarse, found)
            if scale > 1:
                step, change = scale * resize(step, scale), resize(change, scale)
            flow, features = flow + step, features + change
        pair = [pyramid[0] for pyramid in pyramids]
        out = self.decoder1(features, *warp_pair(pair, flow), flow)
        fields, logits, residual = out.split([4 * FIELDS, FIELDS, 3 * FIELDS], 1)
        blends, flow = [], 2 * resize(flow, 2)
        for index in range(FIELDS):
            at = [fields[:, start : start + 2] for start in (2 * index, 2 * (FIELDS + index))]
            warped0, warped1 = warp_pair((frame0, frame1), torch.cat(at, 1) + flow)
            share = torch.sigmoid(logits[:, index : index + 1])
            rest = residual[:, 3 * index : 3 * index + 3]
            blends.append(share * warped0 + (1 - share) * warped1 + mean + rest)
        return (sum(blends) / FIELDS + self.comb_block(torch.cat(blends, 1))).clamp(0, 1)


class _Update(nn.Module):
    def __init__(self, width, hidden=76):
        super().__init__()
        self.convc1 = conv(2 * LEVELS * (2 * RADIUS + 1) ** 2, 64, 1)
        self.convf1, self.convf2 = conv(4, 40, 7), conv(40, 20)
        self.conv = conv(84, 68)
        layers = conv(68 + 4 + width, hidden), nn.LeakyReLU(0.1), conv(hidden, hidden)
        self.gru = nn.Sequential(*layers)
        for name, outputs in (("feat", width), ("flow", 4)):
            layers = conv(hidden, hidden), nn.LeakyReLU(0.1), conv(hidden, outputs)
            setattr(self, f"{name}_head", nn.Sequential(*layers))

    def forward(self, features, flow, correlation):
        matched = _leaky(self.convc1(correlation))
        moved = _leaky(self.convf2(_leaky(self.convf1(flow))))
        x = _leaky(self.conv(torch.cat([matched, moved], 1)))
        x = self.gru(torch.cat([x, flow, features], 1))
        return self.flow_head(x), self.feat_head(x)


class _Matching(nn.Module):
    """Features at 1/8, instance-normalised."""

    def __init__(self):
        super().__init__()
        self.conv1, before = conv(3, 32, 7, 2), 32
        for number, width in enumerate((32, 64, 96), start=1):
            stride = 1 if number == 1 else 2
            blocks = _Bottleneck(before, width, stride), _Bottleneck(width, width)
            setattr(self, f"layer{number}", nn.Sequential(*blocks))
            before = width
        self.conv2 = conv(before, 84, 1)

    def forward(self, x):
        x = functional.relu(functional.instance_norm(self.conv1(x)))
        return self.conv2(self.layer3(self.layer2(self.layer1(x))))


class _Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride=1):
        super().__init__()
        self.conv1, self.conv2 = (
            conv(inputs, width // 4, 1),
            conv(width // 4, width // 4, 3, stride),
        )
        self.conv3 = conv(width // 4, width, 1)
        if stride > 1:
            layers = conv(inputs, width, 1, stride), nn.InstanceNorm2d(width)
            self.downsample = nn.Sequential(*layers)

    def forward(self, x):
        y = x
        for layer in (self.conv1, self.conv2, self.conv3):
            y = functional.relu(functional.instance_norm(layer(y)))
        x = self.downsample(x) if hasattr(self, "downsample") else x
        return functional.relu(x + y)


def _volumes(features0, features1):
    """All correlations of a pair, `[B H W, 1, h, w]`, at every level."""
    count, channels, height, width = features0.shape
    volume = features0.flatten(2).transpose(1, 2) @ features1.flatten(2) / channels**0.5
    levels = [volume.view(count * height * width, 1, height, width)]
    for _ in range(LEVELS - 1):
        levels.append(functional.avg_pool2d(levels[-1], 2))
    return levels


def _around(volumes, flow):
    """The correlations around the places where `flow` points."""
    count, _, height, width = flow.shape
    place = (grid(flow) + flow.permute(0, 2, 3, 1)).reshape(-1, 1, 1, 2)
    line = torch.arange(-RADIUS, RADIUS + 1.0)
    steps = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1)  # x changes slowest
    out = []
    for level, volume in enumerate(volumes):
        last = torch.tensor([volume.shape[3] - 1, volume.shape[2] - 1])
        at = 2 * (place / 2**level + steps) / last - 1
        sampled = functional.grid_sample(volume, at, align_corners=True)
        out.append(sampled.view(count, height, width, -1))
    return torch.cat(out, -1).permute(0, 3, 1, 2)


def _leaky(x):
    return functional.leaky_relu(x, 0.1)
