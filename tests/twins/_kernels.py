"""Parts of the systems whose filters differ from pixel to pixel."""

import torch
from torch import nn
from torch.nn import functional

from tests.twins._layers import conv, grid, upsampling

TAPS = 4  # on a side of an adaptive filter
SIDES = ("left", "right", "up", "down")


def kernel_unet(width=16, depth=5, *, doubled=False, norms=(), align_corners=False):
    """A U-Net in one list, as its keys number it; its skips are added after each upsampling."""
    widths = [width * 2**level for level in range(depth + 1)]
    if doubled:
        stages = [[widths[1]] * 3, *([n, n] for n in widths[2:]), [widths[-1]] * 3]
        stages += [*([n, n] for n in widths[-2:0:-1]), [width]]
    else:
        stages = [[width, widths[1]], *([n] for n in widths[2:]), [widths[-1]]]
        stages += [[n] for n in widths[-2::-1]]
    layers, before = [], 6
    for index, stage in enumerate(stages):
        if index:
            layers.append(nn.MaxPool2d(2) if index <= depth else upsampling(2, align_corners))
        for outputs in stage:
            layers += [conv(before, outputs), nn.ReLU()]
            before = outputs
        layers += [nn.BatchNorm2d(before)] if index in norms else []
    return KernelUNet(*layers)


class KernelUNet(nn.Sequential):
    def forward(self, x):
        skips = []
        for layer in self:
            if isinstance(layer, nn.MaxPool2d):
                skips.append(x)
            x = layer(x)
            if isinstance(layer, nn.Upsample):
                x = x + skips.pop()
        return x


def head(outputs, width=16):
    return nn.Sequential(conv(width, width), nn.ReLU(), conv(width, outputs))


def adaptive_warp(image, flow, kernel):
    """`image` filtered around the place where `flow` points, by `kernel` `[B, 16, H, W]`."""
    count, channels, height, width = image.shape
    x, y = (grid(image) + flow.permute(0, 2, 3, 1)).unbind(-1)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    inside &= (flow[:, 0].abs() < width / 2) & (flow[:, 1].abs() < height / 2)
    left, top = x.floor(), y.floor()
    across, down = x - left, y - top
    left, top = left.long(), top.long()
    rows = image.permute(0, 2, 3, 1).reshape(-1, channels)
    first = torch.arange(count).view(-1, 1, 1) * (height * width)
    out = 0.0
    for j in range(TAPS):
        row = (top + j - 1).clamp(0, height - 1)
        share = 1 - down if j < TAPS // 2 else down
        for i in range(TAPS):
            column = (left + i - 1).clamp(0, width - 1)
            weight = kernel[:, TAPS * j + i] * share * (1 - across if i < TAPS // 2 else across)
            sampled = rows[(first + row * width + column).view(-1)]
            out = out + sampled * weight.reshape(-1, 1)
    out = out.view(count, height, width, channels).permute(0, 3, 1, 2)
    return torch.where(inside[:, None], out, image)


def projection(flow, weight, fill_from=SIDES):
    """Flow from the new frame: minus the weighted mean of the flows that land; holes are filled."""
    count, _, height, width = flow.shape
    x, y = (grid(flow) + flow.permute(0, 2, 3, 1)).unbind(-1)
    lands = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    column, row = (torch.where(lands, axis, 0).long() for axis in (x, y))
    weight = torch.where(lands[:, None], weight, 0)
    values = torch.cat([-flow * weight, weight], 1).permute(0, 2, 3, 1).reshape(-1, 3)
    first = torch.arange(count).view(-1, 1, 1) * (height * width)
    total = torch.zeros_like(values)
    for right in (column, (column + 1).clamp(max=width - 1)):
        for low in (row, (row + 1).clamp(max=height - 1)):
            total.index_add_(0, (first + low * width + right).view(-1), values)
    total = total.view(count, height, width, 3).permute(0, 3, 1, 2)
    known = total[:, 2:] > 0
    out = total[:, :2] / torch.where(known, total[:, 2:], 1)
    return _filled(out, known, fill_from)


def _filled(flow, known, sides):
    """Holes are the mean of the nearest known pixels on each side."""
    total, found = 0.0, 0
    for side in sides:
        axis, back = (3 if side in ("left", "right") else 2), side in ("right", "down")
        mask, maps = (x.flip(axis) if back else x for x in (known, flow))
        shape = [1] * 4
        shape[axis] = -1
        place = torch.arange(mask.shape[axis]).view(shape)
        nearest = torch.where(mask, place, -1).cummax(axis).values
        values = maps.gather(axis, nearest.clamp(min=0).expand_as(maps)) * (nearest >= 0)
        nearest = nearest.flip(axis) if back else nearest
        total = total + (values.flip(axis) if back else values)
        found = found + (nearest >= 0)
    return torch.where(known, flow, total / found.clamp(min=1))


def separable(frame, vertical, horizontal):
    """Line by line: unfolded, a whole frame's patches would take gigabytes."""
    taps = vertical.shape[1]
    padded = functional.pad(frame, [taps // 2] * 4, mode="replicate")
    lines = []
    for y in range(frame.shape[2]):
        # [B, C, width, taps rows, taps columns]
        patches = padded[:, :, y : y + taps].unfold(3, taps, 1).permute(0, 1, 3, 2, 4)
        lines.append(
            torch.einsum("bcwij,biw,bjw->bcw", patches, vertical[:, :, y], horizontal[:, :, y])
        )
    return torch.stack(lines, 2)
