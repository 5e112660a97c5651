"""What several twins have in common, as their authors write it in PyTorch."""

import torch
from torch import nn
from torch.nn import functional


def conv(inputs, outputs, kernel=3, stride=1, **options):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, **options)


def warp(image, flow, *, padding="border"):
    """`image` sampled where `flow` `[B, 2, H, W]` (x, y) points, pixel centres at whole numbers."""
    height, width = image.shape[2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    place = torch.stack([x, y], -1) + flow.permute(0, 2, 3, 1)
    last = torch.tensor([max(width - 1, 1), max(height - 1, 1)])
    return functional.grid_sample(
        image, 2 * place / last - 1, padding_mode=padding, align_corners=True
    )


def resize(x, scale, *, align_corners=False):
    return functional.interpolate(
        x, scale_factor=scale, mode="bilinear", align_corners=align_corners
    )
