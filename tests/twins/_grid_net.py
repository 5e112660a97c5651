"""GridNet and its blocks, as Niklaus and Liu have them; keys name the cells that a block joins."""

import torch
from torch import nn

from tests.twins._layers import conv, upsampling


class GridNet(nn.Module):
    """Rows of one resolution each; the first columns pass features down, the others up."""

    def __init__(self, widths, columns):
        super().__init__()
        self.rows, self.columns = len(widths), columns  # of each direction
        for column in range(2 * columns):
            for row, width in enumerate(widths):
                if column:
                    self._add(row, column - 1, row, column, width, width)
                if column < columns and row:
                    self._add(row - 1, column, row, column, widths[row - 1], width, stride=2)
                if column >= columns and row < self.rows - 1:
                    self._add(row + 1, column, row, column, widths[row + 1], width, double=True)

    def _add(self, row0, column0, row1, column1, inputs, outputs, **options):
        block = Block(inputs, outputs, **options)
        self.add_module(f"{row0}x{column0} - {row1}x{column1}", block)

    def _step(self, row0, column0, row1, column1, x):
        return self.get_submodule(f"{row0}x{column0} - {row1}x{column1}")(x)

    def grid(self, inputs):
        cells = [*inputs, *[None] * (self.rows - len(inputs))]
        for column in range(2 * self.columns):
            down = column < self.columns
            for row in range(self.rows) if down else reversed(range(self.rows)):
                x, before = cells[row], row - 1 if down else row + 1
                if column:
                    x = x + self._step(row, column - 1, row, column, x)
                if 0 <= before < self.rows:
                    step = self._step(before, column, row, column, cells[before])
                    x = step if x is None else x + step[:, :, : x.shape[2], : x.shape[3]]
                cells[row] = x
        return cells[0]


class Block(nn.Module):
    def __init__(
        self, inputs, outputs, *, stride=1, double=False, bias=False, slopes=None, residual=False
    ):
        super().__init__()
        self.residual = residual
        first = conv(inputs, outputs, stride=stride, bias=bias)
        last = [nn.PReLU(slopes or outputs), conv(outputs, outputs, bias=bias)]
        start = [nn.PReLU(slopes or inputs)]
        if double:  # in SoftSplat before the activation, which changes nothing but the keys
            start = [start[0], upsampling(2)] if slopes else [upsampling(2), start[0]]
        self.netMain = nn.Sequential(*start, first, *last)

    def forward(self, x):
        return self.netMain(x) + x if self.residual else self.netMain(x)


class Projected(nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        first, last = (conv(*sizes, bias=False) for sizes in ((inputs, hidden), (hidden, outputs)))
        self.netMain = nn.Sequential(first, nn.PReLU(hidden), last)
        self.netShortcut = conv(inputs, outputs, 1, bias=False)

    def forward(self, x):
        return self.netMain(x) + self.netShortcut(x)


def standardised(frame0, frame1):
    """Both frames with mean 0 and deviation 1 together; their mean and deviation."""
    both = torch.stack([frame0, frame1], 1)
    mean = both.mean((1, 2, 3, 4)).view(-1, 1, 1, 1)
    deviation = both.std((1, 2, 3, 4), correction=0).view(-1, 1, 1, 1)
    scale = deviation + 1e-7
    return (frame0 - mean) / scale, (frame1 - mean) / scale, mean, deviation
