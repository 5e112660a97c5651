"""Parts shared by several systems, written as in their authors' PyTorch code."""

import torch
from torch import nn
from torch.nn import functional


def conv(inputs, outputs, kernel=3, stride=1, **options):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, **options)


def grid(image):
    """`[H, W, 2]`, (x, y) of every pixel."""
    height, width = image.shape[2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([x, y], -1)


def warp(image, flow, *, padding="border"):
    """`image` sampled where `flow` `[B, 2, H, W]` (x, y) points, pixel centres at whole numbers."""
    height, width = image.shape[2:]
    place = grid(image) + flow.permute(0, 2, 3, 1)
    last = torch.tensor([max(width - 1, 1), max(height - 1, 1)])
    return functional.grid_sample(
        image, 2 * place / last - 1, padding_mode=padding, align_corners=True
    )


def warp_pair(pair, flow, **options):
    """Both images, each by its half of `flow` `[B, 4, H, W]`."""
    parts = zip(pair, flow.split(2, 1), strict=True)
    return [warp(image, part, **options) for image, part in parts]


def resize(x, scale, *, align_corners=False):
    return functional.interpolate(
        x, scale_factor=scale, mode="bilinear", align_corners=align_corners
    )


def upsampling(scale, align_corners=False):
    return nn.Upsample(scale_factor=scale, mode="bilinear", align_corners=align_corners)


def splat(image, flow):
    """Every pixel of `image` added to the four pixels around the place where `flow` points."""
    count, channels, height, width = image.shape
    x, y = (grid(image) + flow.permute(0, 2, 3, 1)).unbind(-1)
    left, top = x.floor(), y.floor()
    first = torch.arange(count).view(-1, 1, 1) * (height * width)
    values = image.permute(0, 2, 3, 1).reshape(-1, channels)
    out = torch.zeros_like(values)
    for column, across in ((left, left + 1 - x), (left + 1, x - left)):
        for row, down in ((top, top + 1 - y), (top + 1, y - top)):
            here = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            index = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
            weight = torch.where(here, across * down, 0.0)
            out = out.index_add(0, (index.long() + first).view(-1), values * weight.reshape(-1, 1))
    return out.view(count, height, width, channels).permute(0, 3, 1, 2)


def cost_volume(features0, features1, radius=4):
    """The mean product of features and those at every displacement, `[B, (2 r + 1)^2, H, W]`."""
    height, width = features0.shape[2:]
    around = functional.pad(features1, (radius,) * 4)
    planes = [
        (features0 * around[:, :, y : y + height, x : x + width]).mean(1)
        for y in range(2 * radius + 1)
        for x in range(2 * radius + 1)
    ]
    return torch.stack(planes, 1)


def deformable_conv(x, offset, mask, kernel, groups):
    """3x3 taps at offsets (y, x), sampled one by one with zeros outside."""
    count, channels, height, width = x.shape
    base, last = grid(x), torch.tensor([width - 1, height - 1])
    maps = x.reshape(count * groups, channels // groups, height, width)
    offset = offset.reshape(count * groups, 9, 2, height, width)
    mask = mask.reshape(count * groups, 9, 1, height, width)
    out = 0.0
    for tap in range(9):
        step = torch.tensor([tap % 3 - 1, tap // 3 - 1])
        place = base + step + offset[:, tap].flip(1).permute(0, 2, 3, 1)
        sampled = functional.grid_sample(maps, 2 * place / last - 1, align_corners=True)
        sampled = (sampled * mask[:, tap]).view(count, channels, height * width)
        out = out + kernel[:, :, tap // 3, tap % 3] @ sampled
    return out.view(count, -1, height, width)


def conv_prelu(inputs, outputs, stride=1, kernel=3):
    return nn.Sequential(conv(inputs, outputs, kernel, stride), nn.PReLU(outputs))


def up_prelu(inputs, outputs):
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), nn.PReLU(outputs))
