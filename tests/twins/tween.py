"""Tween; keys are the paths of its parameters."""

import math

import torch
from torch import nn
from torch.nn import functional

from tests.twins._layers import conv, cost_volume, resize, warp

ENCODER = (16, 24, 32, 48, 64)
BLOCKS = ((160, 5, 4), (112, 4, 3), (64, 3, 2), (32, 3, 0))  # channels, depth, radius
CARRIED = 8
LAST = (20, 2)
SLOPE, FAINT = 0.1, 1e-3
STATE = 5 + CARRIED  # motion of both frames, the logit and the features


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode, before = nn.Module(), 3
        for level, width in enumerate(ENCODER):
            setattr(self.encode, f"down{level}", conv(before, width, stride=2))
            if level:
                setattr(self.encode, f"conv{level}", conv(width, width))
            before = width
        for index, ((width, depth, radius), features) in enumerate(
            zip(BLOCKS, ENCODER[:0:-1], strict=True)
        ):
            block = _Block(2 * features, width, depth, radius)
            setattr(self, f"blocks_{index}", block)
        self.last = _Step(24 + STATE + 1, *LAST, 5)

    def forward(self, frame0, frame1, time):
        both = torch.cat([frame0, frame1]).clamp(0, 1)
        share = torch.tensor([-time, 1 - time]).repeat_interleave(len(frame0)).view(-1, 1, 1, 1)

        def moved(images, motion):
            return warp(images, share * torch.cat(motion.split(2, 1)))

        levels = self._features(both)
        state = torch.zeros_like(levels[0][: len(frame0), :1]).expand(-1, STATE, -1, -1)
        for index, seen in enumerate(levels):
            seen = moved(seen, state[:, :4]) if index else seen
            state = getattr(self, f"blocks_{index}")(seen, state, time)
        motion = functional.interpolate(2 * state[:, :4], scale_factor=2, mode="nearest")
        pixels = functional.pixel_unshuffle(moved(both, motion), 2)
        plane = torch.full_like(state[:, :1], time)
        x = torch.cat([*pixels.chunk(2), state, plane], 1)
        state = self.last(x, state[:, :5])
        warped0, warped1 = moved(both, state[:, :4]).chunk(2)
        weight = torch.sigmoid(math.log((1 - time) / time) + state[:, 4:])
        return weight * warped0 + (1 - weight) * warped1

    def _features(self, both):
        x, levels = both - 0.5, []
        for level in range(len(ENCODER)):
            x = _leaky(getattr(self.encode, f"down{level}")(x))
            if level:
                x = _leaky(getattr(self.encode, f"conv{level}")(x))
                levels.insert(0, x)
        return levels


class _Step(nn.Module):
    """The state at twice the resolution."""

    def __init__(self, inputs, width, depth, outputs):
        super().__init__()
        self.stem, self.head, self.depth = conv(inputs, width), conv(width, 4 * outputs), depth
        for index in range(depth):
            setattr(self, f"body{index}", conv(width, width))

    def forward(self, x, state):
        x = _leaky(self.stem(x))
        for index in range(self.depth):
            x = _leaky(getattr(self, f"body{index}")(x) + x)
        kept = torch.cat([2 * state[:, :4], state[:, 4:]], 1)
        return functional.pixel_shuffle(self.head(x), 2) + resize(kept, 2)


class _Block(_Step):
    def __init__(self, features, width, depth, radius):
        matches = (2 * radius + 1) ** 2 + 2 if radius else 0
        super().__init__(features + STATE + 1 + matches, width, depth, STATE)
        self.radius = radius
        if radius:
            self.sharpness = nn.Parameter(torch.zeros(()))

    def forward(self, seen, state, time):
        inputs = [*seen.chunk(2), state, torch.full_like(state[:, :1], time)]
        if self.radius:
            unit = seen / (seen.square().mean(1, keepdim=True) + FAINT).sqrt()
            similar = cost_volume(*unit.chunk(2), self.radius)
            line = torch.arange(-self.radius, self.radius + 1.0)
            y, x = (axis.flatten() for axis in torch.meshgrid(line, line, indexing="ij"))
            weights = (self.sharpness * similar).softmax(1)
            inputs += [similar, torch.einsum("bthw,ct->bchw", weights, torch.stack([x, y]))]
        return super().forward(torch.cat(inputs, 1), state)


def _leaky(x):
    return functional.leaky_relu(x, SLOPE)
