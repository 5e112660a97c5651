"""Zooming Slow-Mo (Xiang et al. 2020)."""

import torch
from torch import nn
from torch.nn import functional

from tests.twins._layers import conv, deformable_conv, resize

WIDTH = 64
GROUPS = 8  # of the deformable convolutions
FRONT, BACK = 5, 40  # residual blocks


class Twin(nn.Module):
    """Takes all frames of a window, `[B, 3, H, W]` each, and a time that it ignores."""

    def __init__(self):
        super().__init__()
        self.conv_first = conv(3, WIDTH)
        self.feature_extraction = nn.Sequential(*[_Residual() for _ in range(FRONT)])
        _add_pyramid(self)
        self.pcd_align, self.fusion = _Align(), conv(2 * WIDTH, WIDTH, 1)
        self.ConvBLSTM = _LSTM()
        self.recon_trunk = nn.Sequential(*[_Residual() for _ in range(BACK)])
        self.upconv1, self.upconv2 = conv(WIDTH, 4 * WIDTH), conv(WIDTH, 4 * WIDTH)
        self.HRconv, self.conv_last = conv(WIDTH, WIDTH), conv(WIDTH, 3)

    def forward(self, *frames_and_time):
        frames = frames_and_time[:-1]
        x = self.feature_extraction(_leaky(self.conv_first(torch.cat(frames))))
        levels = [level.chunk(len(frames)) for level in _pyramid(self, x)]
        sequence = [levels[0][0]]
        for index in range(len(frames) - 1):
            pair = ([level[place] for level in levels] for place in (index, index + 1))
            sequence += [self.fusion(self.pcd_align(*pair)), levels[0][index + 1]]
        sequence = self.ConvBLSTM(sequence)
        x = self.recon_trunk(torch.cat(sequence))
        for up in (self.upconv1, self.upconv2):
            x = _leaky(functional.pixel_shuffle(up(x), 2))
        images = self.conv_last(_leaky(self.HRconv(x)))
        return torch.stack(images.chunk(len(sequence)), 1)


class _LSTM(nn.Module):
    """Forwards and backwards with one network."""

    def __init__(self):
        super().__init__()
        self.forward_net, cell = nn.Module(), nn.Module()
        cell.conv = conv(2 * WIDTH, 4 * WIDTH)
        self.forward_net.cell_list = nn.ModuleList([cell])
        self.forward_net.pcd_h, self.forward_net.pcd_c = _State(), _State()
        self.conv_1x1 = conv(2 * WIDTH, WIDTH, 1)

    def forward(self, sequence):
        net, past, future = self.forward_net, [], []
        hidden = cell = sequence[0].new_zeros(2 * len(sequence[0]), *sequence[0].shape[1:])
        for ahead, back in zip(sequence, reversed(sequence), strict=True):
            x = torch.cat([ahead, back])
            hidden, cell = net.pcd_h(x, hidden), net.pcd_c(x, cell)
            gates = net.cell_list[0].conv(torch.cat([x, hidden], 1))
            i, f, o, g = gates.chunk(4, 1)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            hidden = torch.sigmoid(o) * torch.tanh(cell)
            first, second = hidden.chunk(2)
            past.append(first)
            future.insert(0, second)
        both = zip(past, future, strict=True)
        return [self.conv_1x1(torch.cat(states, 1)) for states in both]


class _State(nn.Module):
    def __init__(self):
        super().__init__()
        _add_pyramid(self)
        self.pcd_align, self.fusion = _Align(), conv(2 * WIDTH, WIDTH, 1)

    def forward(self, x, state):
        return self.fusion(self.pcd_align(_pyramid(self, x), _pyramid(self, state)))


class _Align(nn.Module):
    """Two pyramids aligned to each other, side by side."""

    def __init__(self):
        super().__init__()
        for number in (1, 2):
            for level in (3, 2, 1):
                coarsest = level == 3
                widths = [2 * WIDTH, WIDTH if coarsest else 2 * WIDTH, WIDTH]
                for index, inputs in enumerate(widths[: 2 if coarsest else 3], start=1):
                    name = f"L{level}_offset_conv{index}_{number}"
                    setattr(self, name, conv(inputs, WIDTH))
                setattr(self, f"L{level}_dcnpack_{number}", _Deformable())
                if not coarsest:
                    setattr(self, f"L{level}_fea_conv_{number}", conv(2 * WIDTH, WIDTH))

    def forward(self, first, second):
        return torch.cat([self._one(1, first, second), self._one(2, second, first)], 1)

    def _one(self, number, moving, other):
        def layer(name):
            return getattr(self, f"{name}_{number}")

        for level in (3, 2, 1):
            here = moving[level - 1]
            seen = _leaky(layer(f"L{level}_offset_conv1")(torch.cat([here, other[level - 1]], 1)))
            if level < 3:
                seen = torch.cat([seen, 2 * resize(offset, 2)], 1)  # noqa: F821
            offset = _leaky(layer(f"L{level}_offset_conv2")(seen))
            if level < 3:
                offset = _leaky(layer(f"L{level}_offset_conv3")(offset))
            fine = layer(f"L{level}_dcnpack")(here, offset)
            if level < 3:
                merged = torch.cat([fine, resize(aligned, 2)], 1)  # noqa: F821
                fine = layer(f"L{level}_fea_conv")(merged)
            aligned = fine if level == 1 else _leaky(fine)
        return aligned


class _Deformable(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(WIDTH, WIDTH, 3, 3))
        self.bias = nn.Parameter(torch.zeros(WIDTH))
        self.conv_offset_mask = conv(WIDTH, 27 * GROUPS)

    def forward(self, x, guide):
        field = self.conv_offset_mask(guide)
        offset, mask = field[:, : 18 * GROUPS], torch.sigmoid(field[:, 18 * GROUPS :])
        out = deformable_conv(x, offset, mask, self.weight, GROUPS)
        return out + self.bias.view(1, -1, 1, 1)


class _Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = conv(WIDTH, WIDTH), conv(WIDTH, WIDTH)

    def forward(self, x):
        return x + self.conv2(functional.relu(self.conv1(x)))


def _add_pyramid(module):
    for level in (2, 3):
        setattr(module, f"fea_L{level}_conv1", conv(WIDTH, WIDTH, stride=2))
        setattr(module, f"fea_L{level}_conv2", conv(WIDTH, WIDTH))


def _pyramid(module, x):
    levels = [x]
    for level in (2, 3):
        for index in (1, 2):
            x = _leaky(getattr(module, f"fea_L{level}_conv{index}")(x))
        levels.append(x)
    return levels


def _leaky(x):
    return functional.leaky_relu(x, 0.1)
