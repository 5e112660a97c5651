"""Ops and systems in PyTorch: `vfi-jax bench ops` and `models` `--against` this file time them.

Systems are those of tests/twins. Each function here takes NumPy arrays in the library's layout and
returns `(call, tensors)`: `call` is the operation on tensors in PyTorch's own layout (NCHW).
"""

import functools
import os
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parents[1]))  # a command has no folder to import from
from tests import twins

torch.set_num_threads(len(os.sched_getaffinity(0)))


def rival(case, gradients):
    """A call of `case` in torch, or None where it is not written here."""
    if twin := twins.build(case.name):
        return (_training_step if case.training else _inference)(twin, *case.arrays)
    if case.name not in _OPERATIONS:
        return None
    call, tensors = _OPERATIONS[case.name](*case.arrays)
    if not gradients:
        return torch.no_grad()(functools.partial(call, *tensors))
    tensors = [tensor.requires_grad_() for tensor in tensors]
    cotangent = torch.ones_like(call(*tensors))

    def both():
        for tensor in tensors:
            tensor.grad = None
        call(*tensors).backward(cotangent)

    return both


def _inference(twin, variables, frames, times):
    twin.eval()
    return torch.no_grad()(functools.partial(twin, *_pair(frames), float(times[0, 0])))


def _training_step(twin, variables, state, frames, times, targets):
    """As ours: the L1 distance of the frames, Adam."""
    rule = torch.optim.Adam(twin.parameters(), 1e-4)
    pair, (target,) = _pair(frames), _first(targets[:, 0])

    def step():
        rule.zero_grad()
        (twin(*pair, float(times[0, 0])) - target).abs().mean().backward()
        rule.step()

    return step


def _pair(frames):
    return _first(frames[:, 0], frames[:, 1])


def backward_warp(image, flow):
    base, size = _grid(*image.shape[1:3])

    def call(image, flow):
        grid = (base + flow.permute(0, 2, 3, 1)) * (2 / (size - 1)) - 1
        return functional.grid_sample(image, grid, align_corners=True)

    return call, _first(image, flow)


def forward_splat(image, flow):
    height, width = image.shape[1:3]
    base, _ = _grid(height, width)

    def call(image, flow):
        count, channels = image.shape[:2]
        x, y = (base + flow.permute(0, 2, 3, 1)).unbind(-1)
        left, top = x.floor(), y.floor()
        offset = torch.arange(count).view(-1, 1, 1) * (height * width)
        values = image.permute(0, 2, 3, 1).reshape(-1, channels)
        out = torch.zeros_like(values)
        for column, across in ((left, left + 1 - x), (left + 1, x - left)):
            for row, down in ((top, top + 1 - y), (top + 1, y - top)):
                here = (row >= 0) & (row < height) & (column >= 0) & (column < width)
                index = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
                weight = torch.where(here, across * down, 0.0)
                index = (index.long() + offset).view(-1)
                out = out.index_add(0, index, values * weight.reshape(-1, 1))
        return out.view(count, height, width, channels).permute(0, 3, 1, 2)

    return call, _first(image, flow)


def cost_volume(features0, features1, radius=4):
    height, width = features0.shape[1:3]

    def call(features0, features1):
        around = functional.pad(features1, (radius,) * 4)
        planes = [
            (features0 * around[:, :, y : y + height, x : x + width]).mean(1)
            for y in range(2 * radius + 1)
            for x in range(2 * radius + 1)
        ]
        return torch.stack(planes, 1)

    return call, _first(features0, features1)


def adaptive_separable_conv(image, vertical, horizontal):
    _, height, _, taps = vertical.shape

    def call(image, vertical, horizontal):
        across = horizontal.permute(0, 2, 3, 1)
        out = 0.0
        for i in range(taps):  # unfolded along both axes at once it would take gigabytes
            lines = image[:, :, i : i + height].unfold(3, taps, 1)
            out = out + vertical[:, i, None] * torch.einsum("nchwk,nhwk->nchw", lines, across)
        return out

    return call, _first(image, vertical, horizontal)


def deformable_conv(x, offset, mask, kernel, groups=8):
    count, height, width, channels = x.shape
    base, size = _grid(height, width)

    def call(x, offset, mask, kernel):
        maps = x.view(count * groups, channels // groups, height, width)
        offset = offset.view(count * groups, 9, 2, height, width)
        mask = mask.view(count * groups, 9, 1, height, width)
        out = 0.0
        for tap in range(9):
            # Sampled with zeros outside, as in deformable convolution.
            step = torch.tensor([tap % 3 - 1.0, tap // 3 - 1.0])
            moved = base + step + offset[:, tap].flip(1).permute(0, 2, 3, 1)
            grid = moved * (2 / (size - 1)) - 1
            sampled = functional.grid_sample(maps, grid, align_corners=True) * mask[:, tap]
            sampled = sampled.view(count, channels, height * width)
            out = out + kernel[:, :, tap // 3, tap % 3] @ sampled
        return out.view(count, -1, height, width)

    first = _first(x, offset, mask)
    return call, (*first, torch.from_numpy(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))))


def resize_bilinear(x):
    shape = [2 * side for side in x.shape[1:3]]

    def call(x):
        return functional.interpolate(x, shape, mode="bilinear", align_corners=False)

    return call, _first(x)


_OPERATIONS = {
    function.__name__: function
    for function in (
        backward_warp,
        forward_splat,
        cost_volume,
        adaptive_separable_conv,
        deformable_conv,
        resize_bilinear,
    )
}


def _first(*arrays):
    return tuple(torch.from_numpy(np.ascontiguousarray(a.transpose(0, 3, 1, 2))) for a in arrays)


def _grid(height, width):
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([x, y], -1).float(), torch.tensor([width, height]).float()
