"""GMFlow (Xu et al. 2022) with its refinement, as GMFSS has it."""

import torch
from torch import nn
from torch.nn import functional

from tests.twins._layers import conv, cost_volume, grid, warp

WIDTH = 128
BLOCKS = 6
COARSE, FINE = 2, 8  # windows along an axis, at 1/8 and at 1/4
MATCHED, SPREAD, UP = 4, 1, 4


class GMFlow(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone, self.transformer = _Backbone(), nn.Module()
        self.transformer.layers = nn.ModuleList(_Layer(n % 2 == 1) for n in range(BLOCKS))
        self.feature_flow_attn = nn.Module()
        for name in ("q_proj", "k_proj"):
            setattr(self.feature_flow_attn, name, nn.Linear(WIDTH, WIDTH))
        layers = conv(2 + WIDTH, 256), nn.ReLU(), conv(256, 9 * UP**2, 1)
        self.upsampler = nn.Sequential(*layers)

    def forward(self, frame0, frame1):
        """Flow from frame 0 to 1, then from 1 to 0, as one batch."""
        fine = self.backbone(torch.cat([frame0, frame1]))
        first = self._transformed(fine[:, :, ::2, ::2], COARSE)
        places = grid(first).expand(len(first), -1, -1, -1).permute(0, 3, 1, 2).float()
        flow = _attended(first, _swapped(first), places) - places
        spread = self.feature_flow_attn
        query = spread.q_proj(_last(first))
        key = spread.k_proj(query)  # the authors project the query
        flow = _attended(_first(query), _first(key), flow)
        flow = 2 * functional.interpolate(flow, scale_factor=2, mode="bilinear", align_corners=True)

        first, second = fine, warp(_swapped(fine), flow, padding="zeros")
        first, second = self._transformed(torch.cat([first, second]), FINE).chunk(2)
        scores = cost_volume(first, second, MATCHED) * WIDTH**0.5
        line = torch.arange(-MATCHED, MATCHED + 1.0)
        y, x = (axis.flatten() for axis in torch.meshgrid(line, line, indexing="ij"))
        places = grid(first)[..., None] + torch.stack([x, y])
        last = torch.tensor([[first.shape[3] - 1], [first.shape[2] - 1]])
        inside = ((places >= 0) & (places <= last)).all(2).permute(2, 0, 1)
        weights = torch.where(inside, scores, -1e9).softmax(1)
        flow = flow + torch.einsum("bthw,ct->bchw", weights, torch.stack([x, y]))

        query, key = _first(spread.q_proj(_last(first))), _first(spread.k_proj(_last(first)))
        weights = (cost_volume(query, key, SPREAD) * WIDTH**0.5).softmax(1)
        flow = (weights[:, None] * _around(flow)).sum(2)
        logits = self.upsampler(torch.cat([flow, first], 1))
        weights = logits.unflatten(1, (1, 9, UP**2)).softmax(2)
        fine = (weights * _around(UP * flow)[:, :, :, None]).sum(2)
        return functional.pixel_shuffle(fine.flatten(1, 2), UP)

    def _transformed(self, x, windows):
        size = [side // windows for side in x.shape[2:]]
        x = _last(x + _position(*size).repeat(1, 1, windows, windows))
        for layer in self.transformer.layers:
            x = layer(x, _swapped(x), windows)
        return _first(x)


class _Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, before = conv(3, 64, 7, 2, bias=False), 64
        for number, width in enumerate((64, 96, 128), start=1):
            stride = 2 if number == 2 else 1
            blocks = _Residual(before, width, stride), _Residual(width, width)
            setattr(self, f"layer{number}", nn.Sequential(*blocks))
            before = width
        self.conv2, self.trident_conv = conv(before, WIDTH, 1), conv(WIDTH, WIDTH, bias=False)

    def forward(self, frames):
        mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
        x = (frames - mean.view(1, 3, 1, 1)) / deviation.view(1, 3, 1, 1)
        x = functional.relu(functional.instance_norm(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.trident_conv(self.conv2(x))


class _Residual(nn.Module):
    def __init__(self, inputs, width, stride=1):
        super().__init__()
        self.conv1 = conv(inputs, width, stride=stride, bias=False)
        self.conv2 = conv(width, width, bias=False)
        if stride > 1 or inputs != width:
            self.downsample = nn.Sequential(
                conv(inputs, width, 1, stride), nn.InstanceNorm2d(width)
            )

    def forward(self, x):
        y = x
        for layer in (self.conv1, self.conv2):
            y = functional.relu(functional.instance_norm(layer(y)))
        x = self.downsample(x) if hasattr(self, "downsample") else x
        return functional.relu(x + y)


class _Layer(nn.Module):
    def __init__(self, shifted):
        super().__init__()
        self.self_attn, self.cross_attn_ffn = _Attention(shifted), _Attention(shifted, 8 * WIDTH)

    def forward(self, x, other, windows):
        return self.cross_attn_ffn(self.self_attn(x, x, windows), other, windows)


class _Attention(nn.Module):
    def __init__(self, shifted, hidden=0):
        super().__init__()
        for name in ("q_proj", "k_proj", "v_proj", "merge"):
            setattr(self, name, nn.Linear(WIDTH, WIDTH, bias=False))
        self.norm1, self.shifted = nn.LayerNorm(WIDTH), shifted
        self.hidden = hidden
        if hidden:
            layers = nn.Linear(2 * WIDTH, hidden, bias=False), nn.GELU()
            self.mlp = nn.Sequential(*layers, nn.Linear(hidden, WIDTH, bias=False))
            self.norm2 = nn.LayerNorm(WIDTH)

    def forward(self, source, target, windows):
        height, width = source.shape[1] // windows, source.shape[2] // windows
        shift = (height // 2, width // 2) if self.shifted else (0, 0)

        def moved(x):
            x = x.roll([-n for n in shift], (1, 2)) if self.shifted else x
            x = x.unflatten(2, (windows, width)).unflatten(1, (windows, height)).transpose(2, 3)
            return x.flatten(3, 4)

        parts = self.q_proj(source), self.k_proj(target), self.v_proj(target)
        query, key, value = (moved(x) for x in parts)
        scores = query @ key.transpose(-1, -2) / WIDTH**0.5
        if self.shifted:
            scores = scores + _mask(windows, height, width)
        x = (scores.softmax(-1) @ value).unflatten(3, (height, width)).transpose(2, 3)
        x = x.flatten(3, 4).flatten(1, 2)
        x = self.norm1(self.merge(x.roll(shift, (1, 2)) if self.shifted else x))
        x = self.norm2(self.mlp(torch.cat([source, x], -1))) if self.hidden else x
        return source + x


def _mask(windows, height, width):
    """-100 between tokens that only the shift made neighbours."""
    numbers = torch.zeros(1)
    for window in (height, width):
        place = torch.arange(windows * window)
        line = (place >= place[-1] + 1 - window).int() + (place >= place[-1] + 1 - window // 2)
        numbers = 3 * numbers[..., None] + line
    numbers = numbers[0].unflatten(1, (windows, width)).unflatten(0, (windows, height))
    numbers = numbers.transpose(1, 2).flatten(2)
    return torch.where(numbers[..., None] == numbers[..., None, :], 0.0, -100.0)


def _position(height, width):
    """The sine encoding of y, then of x, `[1, C, H, W]`."""
    half = WIDTH // 2
    channel = torch.arange(half)
    wavelength = 10000 ** (2 * (channel // 2) / half)

    def axis(length):
        angle = 2 * torch.pi * torch.arange(1, length + 1) / (length + 1e-6)
        angle = angle[:, None] / wavelength
        return torch.where(channel % 2 == 1, angle.cos(), angle.sin())

    y = axis(height)[:, None].expand(-1, width, -1)
    x = axis(width)[None].expand(height, -1, -1)
    return torch.cat([y, x], -1).permute(2, 0, 1)[None]


def _attended(query, key, value):
    """The mean of `value` over all places of the other map."""
    scores = query.flatten(2).transpose(1, 2) @ key.flatten(2) / query.shape[1] ** 0.5
    out = value.flatten(2) @ scores.softmax(-1).transpose(1, 2)
    return out.unflatten(2, query.shape[2:])


def _around(x):
    """The nine pixels around each pixel, `[B, C, 9, H, W]`."""
    return functional.unfold(x, 3, padding=1).unflatten(1, (-1, 9)).unflatten(3, x.shape[2:])


def _swapped(pairs):
    return torch.cat(pairs.chunk(2)[::-1])


def _last(x):
    return x.permute(0, 2, 3, 1)


def _first(x):
    return x.permute(0, 3, 1, 2)
