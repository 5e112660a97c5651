"""EMA-VFI (Zhang et al. 2023)."""

import torch
from torch import nn
from torch.nn import functional

from tests.twins._layers import conv, conv_prelu, resize, warp, warp_pair
from tests.twins._refinement import UNet

WIDTH = 32
DEPTH = 4  # blocks of each stage
WINDOW, SHIFT = 7, 3  # tokens
HEAD = 32  # channels


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.feature_bone, self.unet = _Backbone(), UNet(81, 2 * WIDTH)
        self.block = nn.ModuleList([_Head(134), _Head(81)])

    def forward(self, frame0, frame1, time):
        pair = frame0.flip(1), frame1.flip(1)  # BGR
        features, motions = self.feature_bone(torch.cat(pair))
        flow = None
        for head, motion, level, scale in zip(
            self.block, motions[::-1], features[:2:-1], (4, 2), strict=True
        ):
            (motion0, motion1), looks = motion.chunk(2), level.chunk(2)
            known = torch.cat([time * motion0, (1 - time) * motion1, *looks], 1)
            known = functional.pixel_shuffle(functional.pixel_shuffle(known, 2), 2)
            if flow is None:
                step = head(torch.cat([known, resize(torch.cat(pair, 1), 1 / scale)], 1))
                flow, logit = scale * resize(step[:, :4], scale), resize(step[:, 4:], scale)
            else:
                seen = torch.cat([*pair, *warped, logit, flow / scale], 1)  # noqa: F821
                step = head(torch.cat([known, resize(seen, 1 / scale)], 1))
                flow = flow + scale * resize(step[:, :4], scale)
                logit = logit + resize(step[:, 4:], scale)
            warped = warp_pair(pair, flow)
        share = torch.sigmoid(logit)
        blend = share * warped[0] + (1 - share) * warped[1]
        at, contexts = torch.cat([flow[:, :2], flow[:, 2:]]), []
        for index, level in enumerate(features):
            at = 0.5 * resize(at, 0.5) if index else at
            contexts.append(warp(level, at).chunk(2))
        seen = torch.cat([*pair, *warped, logit, flow, *contexts[0]], 1)
        residual = self.unet(seen, *zip(*contexts[1:], strict=True))
        return (blend + residual).clamp(0, 1).flip(1)


class _Head(nn.Module):
    def __init__(self, inputs, width=4 * WIDTH):
        super().__init__()
        layers = conv_prelu(inputs, width), conv_prelu(width, width), conv_prelu(width, 5)
        self.conv = nn.Sequential(*layers)

    def forward(self, x):
        return self.conv(x)


class _Backbone(nn.Module):
    """Features of five levels, finest first, and the motion of the two coarsest."""

    def __init__(self):
        super().__init__()
        before = 3
        for level in (1, 2, 3):
            width = WIDTH * 2 ** (level - 1)
            if level > 1:
                setattr(self, f"patch_embed{level}", conv_prelu(before, width, 2))
                before = width
            stage = nn.Module()
            stage.conv = nn.Sequential(*conv_prelu(before, width), *conv_prelu(width, width))
            setattr(self, f"block{level}", stage)
            before = width
        self.patch_embed4, self.patch_embed5 = _Across(), _Embedding(8 * WIDTH, 16 * WIDTH)
        for level, width, motion in ((4, 8 * WIDTH, 64), (5, 16 * WIDTH, 128)):
            blocks = (_Block(width, motion, SHIFT * (index % 2)) for index in range(DEPTH))
            setattr(self, f"block{level}", nn.ModuleList(blocks))
            setattr(self, f"norm{level}", nn.LayerNorm(width, eps=1e-6))

    def forward(self, x):
        features, motions = [], []
        for level in (1, 2, 3):
            x = getattr(self, f"patch_embed{level}")(x) if level > 1 else x
            x = getattr(self, f"block{level}").conv(x)
            features.append(x)
        for level in (4, 5):
            tokens = self.patch_embed4(features) if level == 4 else self.patch_embed5(x)
            moved = []
            for block in getattr(self, f"block{level}"):
                tokens, motion = block(tokens)
                moved.append(motion)
            x = getattr(self, f"norm{level}")(tokens).permute(0, 3, 1, 2)
            features.append(x)
            motions.append(torch.cat(moved, -1).permute(0, 3, 1, 2))
        return features, motions


class _Across(nn.Module):
    """Tokens at 1/8 from all finer levels, through dilated convolutions."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList()
        for level in (2, 1, 0):
            for dilation in range(1, 2 ** (2 - level) + 1):
                options = {"stride": 2 ** (3 - level), "padding": dilation, "dilation": dilation}
                self.layers.append(nn.Conv2d(WIDTH * 2**level, WIDTH, 3, **options))
        self.proj, self.norm = nn.Conv2d(7 * WIDTH, 8 * WIDTH, 1), nn.LayerNorm(8 * WIDTH)

    def forward(self, features):
        levels = (2, 1, 1, 0, 0, 0, 0)
        seen = [layer(features[n]) for n, layer in zip(levels, self.layers, strict=True)]
        return self.norm(self.proj(torch.cat(seen, 1)).permute(0, 2, 3, 1))


class _Embedding(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.proj, self.norm = conv(inputs, outputs, stride=2), nn.LayerNorm(outputs)

    def forward(self, x):
        return self.norm(self.proj(x).permute(0, 2, 3, 1))


class _Block(nn.Module):
    def __init__(self, width, motion, shift):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn, self.mlp, self.shift = _Attention(width, motion), _Mixed(width), shift

    def forward(self, tokens):
        """Tokens `[2 B, H, W, C]` of both frames, and their motion."""
        height, width = tokens.shape[1:3]
        y, x = torch.meshgrid(
            torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
        )
        own = self.norm1(_windows(tokens, self.shift))
        place = _windows(torch.stack([x, y], -1)[None], self.shift)
        look, motion = self.attn(own, place, _mask(height, width, self.shift))
        tokens = _whole(own + look, self.shift, height, width)
        motion = _whole(motion, self.shift, height, width)
        return tokens + self.mlp(self.norm2(tokens)), motion


class _Attention(nn.Module):
    def __init__(self, width, motion):
        super().__init__()
        self.q, self.kv = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.cor_embed, self.proj = nn.Linear(2, motion), nn.Linear(width, width)
        self.motion_proj = nn.Linear(motion, motion)

    def forward(self, own, place, mask):
        """From tokens `[2 B, windows, tokens, C]`, each frame's attending to the other's."""
        other = torch.cat(own.chunk(2)[::-1])
        query, (key, value) = self.q(own), self.kv(other).chunk(2, -1)
        place = self.cor_embed(place)
        query, key, value, placed = (
            x.unflatten(-1, (own.shape[-1] // HEAD, -1)).transpose(-2, -3)
            for x in (query, key, value, place)
        )
        scores = query @ key.transpose(-1, -2) * HEAD**-0.5
        scores = (scores if mask is None else scores + mask).softmax(-1)
        look = (scores @ value).transpose(-2, -3).flatten(-2)
        moved = (scores @ placed).transpose(-2, -3).flatten(-2)
        return self.proj(look), self.motion_proj(moved - place)


class _Mixed(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.dwconv = nn.Module()
        self.dwconv.dwconv = conv(4 * width, 4 * width, groups=4 * width)

    def forward(self, x):
        x = self.dwconv.dwconv(self.fc1(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return self.fc2(functional.gelu(x))


def _beside(length):
    missing = -length % WINDOW
    return missing // 2, missing - missing // 2


def _windows(x, shift):
    """`[B, H, W, C]`, padded with zeros and rolled, as `[B, windows, tokens, C]`."""
    x = functional.pad(x, (0, 0, *_beside(x.shape[2]), *_beside(x.shape[1])))
    x = x.roll((-shift, -shift), (1, 2)) if shift else x
    x = x.unflatten(2, (-1, WINDOW)).unflatten(1, (-1, WINDOW)).transpose(2, 3)
    return x.flatten(1, 2).flatten(2, 3)


def _whole(x, shift, height, width):
    """The inverse."""
    (above, _), (left, right) = _beside(height), _beside(width)
    columns = (left + width + right) // WINDOW
    x = x.unflatten(2, (WINDOW, WINDOW)).unflatten(1, (-1, columns)).transpose(2, 3)
    x = x.flatten(3, 4).flatten(1, 2)
    x = x.roll((shift, shift), (1, 2)) if shift else x
    return x[:, above : above + height, left : left + width]


def _mask(height, width, shift):
    """-100 between tokens of different regions: the padding, and what the shift made neighbours."""
    numbers = torch.zeros(())
    for length in (height, width):
        before, behind = _beside(length)
        if not shift and not before + behind:
            line = torch.zeros(length)
        else:
            parts = torch.tensor([before, length, behind])
            line = 3 * torch.arange(3.0).repeat_interleave(parts)
        if shift:
            parts = torch.tensor([len(line) - WINDOW, WINDOW - shift, shift])
            line = line + torch.arange(3.0).repeat_interleave(parts)
        numbers = 9 * numbers[..., None] + line
    rows = numbers.unflatten(1, (-1, WINDOW)).unflatten(0, (-1, WINDOW)).transpose(1, 2)
    rows = rows.flatten(0, 1).flatten(1, 2)
    apart = rows[:, :, None] != rows[:, None]
    return torch.where(apart, -100.0, 0.0)[:, None] if apart.any() else None
