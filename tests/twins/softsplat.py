"""SoftSplat (Niklaus and Liu 2020)."""

import torch
from torch import nn
from torch.nn import functional

from tests.twins._grid_net import GridNet, Projected, standardised
from tests.twins._layers import conv, cost_volume, splat, warp

LEVELS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth")
FEATURES = (16, 32, 64, 96, 128, 192)
DECODER = (128, 128, 96, 64, 32)
SIZES, WIDTHS = ("One", "Two", "Thr"), (32, 64, 96)
STEEPEST = 20.0


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.netFlow, self.netSynthesis = _Flow(), _Synthesis()

    def forward(self, frame0, frame1, time):
        frame0, frame1, mean, deviation = standardised(frame0.flip(1), frame1.flip(1))  # BGR
        both = torch.cat([frame0, frame1])
        made = self.netSynthesis(both, self.netFlow(both), time)
        return (made * deviation + mean).flip(1)


class _Flow(nn.Module):
    """Flow from each frame to the other."""

    def __init__(self):
        super().__init__()
        self.netExtractor, before = nn.Module(), 3
        for level, (name, width) in enumerate(zip(LEVELS, FEATURES, strict=True)):
            layers = conv(before, width, stride=2), _leaky(), conv(width, width), _leaky()
            setattr(self.netExtractor, f"net{name}", nn.Sequential(*layers))
            setattr(self, f"net{name}", nn.Module())
            inputs, decoder = width + 81 + (0 if level == 5 else 2), []
            for hidden in DECODER:
                decoder += [conv(inputs, hidden), _leaky()]
                inputs = hidden
            getattr(self, f"net{name}").netMain = nn.Sequential(*decoder, conv(inputs, 2))
            before = width

    def forward(self, both):
        levels = [both]
        for name in LEVELS:
            levels.append(getattr(self.netExtractor, f"net{name}")(levels[-1]))
        flow, before = None, []
        for level in reversed(range(6)):
            features = levels[level + 1]
            others = torch.cat(features.chunk(2)[::-1])
            if flow is not None:
                before = [_resized(flow, features.shape[2:])]
                others = warp(others, before[0], padding="zeros")
            seen = torch.cat([features, cost_volume(features, others), *before], 1)
            flow = getattr(self, f"net{LEVELS[level]}").netMain(seen)
        return _resized(flow, both.shape[2:])


class _Synthesis(GridNet):
    def __init__(self):
        super().__init__(WIDTHS, 3)
        self.netEncode, self.netWarp, self.netSoftmetric = nn.Module(), nn.Module(), _Metric()
        self.netOutput, before = Projected(WIDTHS[0], WIDTHS[0], 3), 3
        for level, (name, width) in enumerate(zip(SIZES, WIDTHS, strict=True)):
            first = conv(before, width, stride=2 if level else 1, bias=False)
            layers = first, nn.PReLU(width), conv(width, width, bias=False), nn.PReLU(width)
            setattr(self.netEncode, f"net{name}", nn.Sequential(*layers))
            inputs = 2 * (width + 1 + (0 if level else 3))
            setattr(self.netWarp, f"net{name}", Projected(inputs, width, width))
            before = width

    def forward(self, both, flow, time):
        features, x = [], both
        for name in SIZES:
            x = getattr(self.netEncode, f"net{name}")(x)
            features.append(x)
        features[0] = torch.cat([both, features[0]], 1)
        metric = self.netSoftmetric(features[0], flow)
        times = torch.tensor([time, 1 - time]).repeat_interleave(len(both) // 2).view(-1, 1, 1, 1)
        warped = []
        for name, level in zip(SIZES, features, strict=True):
            size = level.shape[2:]
            flow = _resized(flow, size)
            metric = functional.interpolate(metric, size, mode="bilinear")
            scaled = 2 * times * metric
            weight = torch.exp((-scaled).clamp(-STEEPEST, STEEPEST))
            total = splat(torch.cat([level * weight, scaled * weight, weight], 1), times * flow)
            arrived = total[:, :-1] / (total[:, -1:] + 1e-7)
            seen = torch.cat(arrived.chunk(2), 1)
            warped.append(getattr(self.netWarp, f"net{name}")(seen))
        return self.netOutput(self.grid(warped))


class _Metric(GridNet):
    """Minus the importance of every pixel."""

    def __init__(self):
        super().__init__((16, 32, 64, 96), 1)
        self.netInput, self.netError = conv(3, 12, bias=False), conv(1, 4, bias=False)
        self.netOutput = Projected(16, 16, 1)

    def forward(self, features, flow):
        others = torch.cat(features.chunk(2)[::-1])
        error = (features - warp(others, flow, padding="zeros")).abs().mean(1, keepdim=True)
        seen = torch.cat([self.netInput(features[:, :3]), self.netError(error)], 1)
        return self.netOutput(self.grid([seen]))


def _resized(flow, size):
    """Both components by the ratio of the widths, as the authors have it."""
    ratio = size[1] / flow.shape[3]
    return functional.interpolate(flow, size, mode="bilinear") * ratio


def _leaky():
    return nn.LeakyReLU(0.1)
