"""Tween; keys are the paths of its parameters."""

import torch
from torch import nn
from torch.nn import functional

from tests.twins._layers import conv, cost_volume, resize, warp

ENCODER = (16, 24, 32, 48, 64)
CHANNELS, DEPTHS, RADII = (160, 112, 64), (5, 4, 4), (4, 3, 2)
ESTIMATE, CARRIED = 5, 8
LAST = (48, 4)
AT_A_FRAME, FAINT = 1e-3, 1e-3


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = _Encoder()
        state = ESTIMATE + CARRIED
        for number, settings in enumerate(zip(CHANNELS, DEPTHS, RADII, strict=True)):
            features = 2 * ENCODER[-1 - number] + state + 1
            setattr(self, f"blocks_{number}", _Block(features, *settings, state))
        self.last = _Block(2 * 3 * 16 + state + 1, *LAST, 0, ESTIMATE)

    def forward(self, frame0, frame1, time):
        return self.estimates(torch.cat([frame0, frame1]), torch.full_like(frame0[:, :1], time))[0]

    def estimates(self, pair, time):
        """The frame, and every level's flows `[2 B, 2, h, w]` and logits, coarse to fine.

        Frames 0, then frames 1 are in `pair`, `[2 B, 3, H, W]`; `time` is `[B, 1, H, W]`.
        """
        pair = pair.clamp(0, 1)
        seen = self.encode(pair)
        share = torch.cat([-time, 1 - time])[:, :, :1, :1]
        inside = time[:, :, :1, :1].clamp(AT_A_FRAME, 1 - AT_A_FRAME)
        prior = torch.log((1 - inside) / inside)

        def flow_of(state):
            return share * torch.cat([state[:, :2], state[:, 2:4]])

        state = seen[0].new_zeros(len(time), ESTIMATE + CARRIED, *seen[0].shape[2:])
        states = []
        for number, features in enumerate(seen):
            state = _enlarged(state, 2) if states else state
            warped = warp(features, flow_of(state)) if states else features
            state = getattr(self, f"blocks_{number}")(warped, state, time)
            states.append(state)
        pixels = functional.pixel_unshuffle(warp(pair, flow_of(_enlarged(state, 8))), 4)
        state = self.last(pixels, _enlarged(state, 2), time)
        states += [state, _enlarged(state, 4)]
        flows = [flow_of(state) for state in states]
        logits = [prior + state[:, 4:ESTIMATE] for state in states]
        (first, second), weight = warp(pair, flows[-1]).chunk(2), torch.sigmoid(logits[-1])
        return weight * first + (1 - weight) * second, flows, logits


class _Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        last = 3
        for level, width in enumerate(ENCODER):
            setattr(self, f"down{level}", conv(last, width, stride=2))
            if level:
                setattr(self, f"conv{level}", conv(width, width))
            last = width

    def forward(self, pair):
        x, features = pair - 0.5, []
        for level in range(len(ENCODER)):
            x = _leaky(getattr(self, f"down{level}")(x))
            if level:
                x = _leaky(getattr(self, f"conv{level}")(x))
            if level > 1:
                features.append(x)
        return features[::-1]


class _Block(nn.Module):
    def __init__(self, inputs, width, depth, radius, out):
        super().__init__()
        self.depth, self.radius, self.out = depth, radius, out
        if radius:
            self.sharpness = nn.Parameter(torch.tensor(10.0))
            inputs += (2 * radius + 1) ** 2 + 2
        self.stem = conv(inputs, width)
        for index in range(depth):
            setattr(self, f"body{index}", conv(width, width))
        self.head = conv(width, self.out)

    def forward(self, seen, state, time):
        first, second = seen.chunk(2)
        inputs = [first, second, state, time[:, :, : state.shape[2], : state.shape[3]]]
        if self.radius:
            inputs += self._matches(seen)
        x = _leaky(self.stem(torch.cat(inputs, 1)))
        for index in range(self.depth):
            x = _leaky(getattr(self, f"body{index}")(x) + x)
        return self.head(x) + state[:, : self.out]

    def _matches(self, seen):
        unit = seen / torch.sqrt(seen.square().mean(1, keepdim=True) + FAINT)
        similar = cost_volume(*unit.chunk(2), self.radius)
        reach = range(-self.radius, self.radius + 1)
        moves = torch.tensor([(x, y) for y in reach for x in reach], dtype=similar.dtype)
        chosen = torch.softmax(self.sharpness * similar, 1)
        return [similar, torch.einsum("bkhw,kc->bchw", chosen, moves)]


def _enlarged(state, factor):
    return resize(torch.cat([factor * state[:, :4], state[:, 4:]], 1), factor)


def _leaky(x):
    return functional.leaky_relu(x, 0.1)
