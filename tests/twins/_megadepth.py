"""MegaDepth's hourglass (Li and Snavely 2018), as DAIN has it."""

import torch
from torch import nn

WIDTH = 16
WIDER = (3, 7, 11)


class _Scale(nn.Sequential):
    """Both branches in an inner list; the first of the two finest scales is the deep one."""

    def __init__(self, pool, down, up, skip, *inner, first):
        deep, inputs = [pool], 128 if first < 2 else 256
        channels = inputs
        for block in down:
            deep.append(_Inception(channels, *block))
            channels = 4 * WIDTH * block[0]
        if inner:
            deep.append(inner[0])
            channels = inner[0].outputs
        for block in up:
            deep.append(_Inception(channels, *block))
            channels = 4 * WIDTH * block[0]
        deep, side = nn.Sequential(*deep, nn.UpsamplingNearest2d(scale_factor=2)), nn.Sequential()
        for block in skip:
            side.append(_Inception(inputs, *block))
            inputs = 4 * WIDTH * block[0]
        super().__init__(nn.ModuleList([deep, side] if first < 2 else [side, deep]))
        self.outputs = channels

    def forward(self, x):
        first, second = self[0]
        return first(x) + second(x)


class _Inception(nn.ModuleList):
    def __init__(self, inputs, features, middle=2, kernels=(3, 5, 7)):
        features, middle = WIDTH * features, WIDTH * middle
        branches = [nn.Sequential(*_unit(inputs, features, 1))]
        for kernel in kernels:
            layers = *_unit(inputs, middle, 1), *_unit(middle, features, kernel)
            branches.append(nn.Sequential(*layers))
        super().__init__(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self], 1)


def megadepth():
    """The logarithm of the depth, from RGB in [0, 1]; keys are numbers."""
    maximum, average = nn.MaxPool2d(2), nn.AvgPool2d(2)
    four, wide = (4,), (4, 4, WIDER)
    scale = _Scale(average, [four] * 3, [], [four] * 2, first=3)
    scale = _Scale(average, [four] * 2, [four, wide], [four, wide], scale, first=2)
    skip = [(2,), (2, 4, WIDER)]
    scale = _Scale(maximum, [(2,), four], [four, (2,)], skip, scale, first=1)
    up, skip = [(2, 4), (1, 2, WIDER)], [(1, 4, WIDER)]
    scale = _Scale(maximum, [(2,), (2,)], up, skip, scale, first=0)
    return nn.Sequential(*_unit(3, 128, 7, affine=True), scale, nn.Conv2d(64, 1, 3, padding=1))


def _unit(inputs, outputs, kernel, *, affine=False):
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
    return layer, nn.BatchNorm2d(outputs, affine=affine), nn.ReLU()
