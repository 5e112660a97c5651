"""FILM (Reda et al. 2022)."""

import itertools

import torch
from torch import nn
from torch.nn import functional

from tests.twins._layers import resize, warp

LEVELS, FUSED, DEPTH = 7, 5, 4
WIDTH = 64
FLOW_WIDTHS = (32, 64, 128, 256)


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.extract, self.predict_flow, self.fuse = _Extract(), _Flows(), _Fusion()

    def forward(self, frame0, frame1, time):
        pyramids = [_images(frame) for frame in (frame0, frame1)]
        features = [self.extract(pyramid) for pyramid in pyramids]
        flows01 = self.predict_flow(features[0], features[1])
        flows10 = self.predict_flow(features[1], features[0])
        fused = []
        for level in range(FUSED):
            # The middle frame's flow to frame 0 is half of the flow from frame 1 to it.
            to_frames = 0.5 * flows10[level], 0.5 * flows01[level]
            seen = [
                torch.cat([pyramid[level], known[level]], 1)
                for pyramid, known in zip(pyramids, features, strict=True)
            ]
            warped = [warp(x, flow) for x, flow in zip(seen, to_frames, strict=True)]
            fused.append(torch.cat([*warped, *to_frames], 1))
        return self.fuse(fused)


class _Extract(nn.Module):
    def __init__(self):
        super().__init__()
        self.extract_sublevels = nn.Module()
        widths = [3, *(WIDTH * 2**level for level in range(DEPTH))]
        self.extract_sublevels.convs = nn.ModuleList(
            nn.Sequential(_leaky(before, width), _leaky(width, width))
            for before, width in itertools.pairwise(widths)
        )

    def forward(self, images):
        """Features of every level, from its own image and from finer ones."""
        trees = []
        for level, x in enumerate(images):
            tree = []
            for index in range(min(DEPTH, LEVELS - level)):
                x = functional.avg_pool2d(x, 2) if index else x
                x = self.extract_sublevels.convs[index](x)
                tree.append(x)
            trees.append(tree)
        return [
            torch.cat([trees[level - up][up] for up in range(min(DEPTH, level + 1))], 1)
            for level in range(LEVELS)
        ]


class _Flows(nn.Module):
    def __init__(self):
        super().__init__()
        seen = [2 * WIDTH * (2 ** (level + 1) - 1) for level in range(DEPTH)]
        networks = [_Flow(*sizes) for sizes in zip(seen, FLOW_WIDTHS, strict=True)]
        self._predictor = networks.pop()
        self._predictors = nn.ModuleList(networks[::-1])

    def forward(self, features0, features1):
        flows, networks = [], [*self._predictors[::-1]]
        for level in reversed(range(LEVELS)):
            there = features1[level]
            if flows:
                coarser = 2 * resize(flows[0], 2)
                there = warp(there, coarser)
            network = networks[level] if level < len(networks) else self._predictor
            step = network(torch.cat([features0[level], there], 1))
            flows.insert(0, step + coarser if flows else step)
        return flows


class _Flow(nn.Module):
    def __init__(self, inputs, width):
        super().__init__()
        layers = [_leaky(inputs, width), _leaky(width, width), _leaky(width, width)]
        last = nn.Sequential(nn.Conv2d(width // 2, 2, 1))
        self._convs = nn.Sequential(*layers, _leaky(width, width // 2, 1), last)

    def forward(self, x):
        return self._convs(x)


class _Fusion(nn.Module):
    def __init__(self):
        super().__init__()
        before, self.convs = _fused_width(FUSED - 1), nn.ModuleList()
        for level in reversed(range(FUSED - 1)):
            width = WIDTH * 2**level
            # An even kernel, padded at the bottom and on the right.
            first = nn.Sequential(nn.Conv2d(before, width, 2))
            second = _leaky(width + _fused_width(level), width)
            self.convs.append(nn.ModuleList([first, second, _leaky(width, width)]))
            before = width
        self.output_conv = nn.Conv2d(WIDTH, 3, 1)

    def forward(self, pyramid):
        x = pyramid[-1]
        for level, (first, second, third) in zip(
            reversed(range(FUSED - 1)), self.convs, strict=True
        ):
            x = functional.interpolate(x, scale_factor=2, mode="nearest")
            x = first(functional.pad(x, (0, 1, 0, 1)))
            x = third(second(torch.cat([pyramid[level], x], 1)))
        return self.output_conv(x)


def _fused_width(level):
    """Channels of both frames' images, features and flows at a level."""
    return 2 * (3 + WIDTH * (2 ** min(DEPTH, level + 1) - 1) + 2)


def _images(frame):
    levels = [frame]
    for _ in range(1, LEVELS):
        levels.append(functional.avg_pool2d(levels[-1], 2))
    return levels


def _leaky(inputs, outputs, kernel=3):
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
    return nn.Sequential(layer, nn.LeakyReLU(0.2))
