"""Ops and systems in PyTorch, for `vfi-jax bench ops` and `models` with `--against` this file.

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
from tests.twins import _layers

torch.set_num_threads(len(os.sched_getaffinity(0)))


def rival(case, gradients):
    """A call of `case` in PyTorch, or None if it is not implemented here."""
    if twin := twins.build(case.name):
        for parameter in twin.parameters():  # as ours are
            torch.nn.init.zeros_(parameter)
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
    return torch.no_grad()(functools.partial(twin, *_each(frames), float(times[0, 0])))


def _training_step(twin, variables, state, frames, times, targets):
    """A training step like ours: L1 loss, Adam."""
    rule = torch.optim.Adam(twin.parameters(), 1e-4)
    clip, target = _each(frames), _first(targets)[0]

    def step():
        rule.zero_grad()
        (twin(*clip, float(times[0, 0])).view_as(target) - target).abs().mean().backward()
        rule.step()

    return step


def _each(frames):
    return _first(*frames.swapaxes(0, 1))


def backward_warp(image, flow):
    call = functools.partial(_layers.warp, padding="zeros")
    return call, _first(image, flow)


def forward_splat(image, flow):
    return _layers.splat, _first(image, flow)


def cost_volume(features0, features1):
    return _layers.cost_volume, _first(features0, features1)


def adaptive_separable_conv(image, vertical, horizontal):
    _, height, _, taps = vertical.shape

    def call(image, vertical, horizontal):
        across = horizontal.permute(0, 2, 3, 1)
        out = 0.0
        for i in range(taps):  # unfolding both axes at once would need gigabytes
            lines = image[:, :, i : i + height].unfold(3, taps, 1)
            out = out + vertical[:, i, None] * torch.einsum("nchwk,nhwk->nchw", lines, across)
        return out

    return call, _first(image, vertical, horizontal)


def deformable_conv(x, offset, mask, kernel):
    call = functools.partial(_layers.deformable_conv, groups=mask.shape[-1] // 9)
    kernel = torch.from_numpy(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)))
    return call, (*_first(x, offset, mask), kernel)


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
    """Arrays with channels before height and width."""
    return tuple(torch.from_numpy(np.ascontiguousarray(np.moveaxis(a, -1, -3))) for a in arrays)
