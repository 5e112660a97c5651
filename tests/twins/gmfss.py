"""GMFSS Fortuna, "union"."""

import torch
from torch import nn

from tests.twins._gmflow import GMFlow
from tests.twins._grid_net import Block
from tests.twins._layers import conv, resize, splat, warp, warp_pair
from tests.twins.practical_rife import Block as RIFEBlock

WIDTHS = (64, 128, 192)
RIFE = {8: 192, 4: 128, 2: 96, 1: 64}  # scale: channels of Practical-RIFE 4.6
STEEPEST = 10.0
ONE = {"bias": True, "slopes": 1}


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.flownet, self.ifnet, self.metricnet = GMFlow(), _RIFE(), _Metric()
        self.feat_ext, self.fusionnet, before = nn.Module(), _Fusion(), 3
        for number, width in enumerate(WIDTHS, start=1):
            setattr(self.feat_ext, f"block{number}", _block(before, width, stride=2))
            before = width

    def forward(self, frame0, frame1, time):
        both = torch.cat([frame0, frame1])
        half = resize(both, 0.5)
        flow = self.flownet(*half.chunk(2))
        metric = self.metricnet(half, flow)
        rife = self.ifnet(*half.chunk(2), time)
        times = torch.tensor([time, 1 - time]).repeat_interleave(len(frame0)).view(-1, 1, 1, 1)
        flow, metric, x, moved = times * flow, times * metric, both, []
        image0, image1 = _moved(half, flow, metric).chunk(2)
        for level in (1, 2, 3):
            x = getattr(self.feat_ext, f"block{level}")(x)
            if level == 1:
                moved.append(_moved(x, flow, metric))
            else:
                scale = 0.5 ** (level - 1)
                at = scale * resize(flow, scale)
                moved.append(_moved(x, at, resize(metric, scale)))
        moved = [torch.cat(level.chunk(2), 1) for level in moved]
        return self.fusionnet(torch.cat([image0, rife, image1], 1), moved)


class _Metric(nn.Module):
    """The importance of every pixel."""

    def __init__(self):
        super().__init__()
        self.metric_in = conv(14, 64)
        for number in (1, 2, 3):
            setattr(self, f"metric_net{number}", nn.Sequential(nn.PReLU(), conv(64, 64)))
        self.metric_out = nn.Sequential(nn.PReLU(), conv(64, 2))

    def forward(self, half, flow):
        others = torch.cat(half.chunk(2)[::-1])
        error = (half - warp(others, flow, padding="zeros")).abs().mean(1, keepdim=True)
        back = torch.cat(flow.chunk(2)[::-1])
        left = (flow + warp(back, flow, padding="zeros")).norm(dim=1, keepdim=True)
        length = flow.norm(dim=1, keepdim=True) + back.norm(dim=1, keepdim=True)
        hidden = (left > 0.01 * length + 0.5).float()
        halves = torch.tensor([half.shape[3] - 1, half.shape[2] - 1]).view(1, 2, 1, 1) / 2
        seen = half, -error, flow / halves, hidden
        x = self.metric_in(torch.cat([part for pair in seen for part in pair.chunk(2)], 1))
        for number in (1, 2, 3):
            x = getattr(self, f"metric_net{number}")(x) + x
        return torch.cat((STEEPEST * torch.tanh(self.metric_out(x))).chunk(2, 1))


class _Fusion(nn.Module):
    """A grid of three rows and four columns with blocks, which the keys number 0, 1, 4, 5."""

    def __init__(self):
        super().__init__()
        self.residual_model_head0 = _block(9, WIDTHS[0])
        for row, width in enumerate(WIDTHS):
            setattr(self, f"residual_model_head{row + 1}", _block(2 * width, width))
            for column in (1, 4, 5):
                setattr(self, f"residual_model_{row}{column}", _block(width, width))
            for column in (0, 1) if row else ():
                block = _block(WIDTHS[row - 1], width, stride=2)
                setattr(self, f"downsample_model_{row}{column}", block)
            for column in (4, 5) if row < 2 else ():
                block = _block(WIDTHS[row + 1], width, up=True)
                setattr(self, f"upsample_model_{row}{column}", block)
        self.residual_model_tail = tail = nn.Module()
        width = WIDTHS[0]
        tail.conv_before_upsample = nn.Sequential(conv(width, width), nn.PReLU())
        tail.upsample = nn.Sequential(conv(width, 4 * width), nn.PixelShuffle(2))
        tail.conv_last = conv(width, 3)

    def forward(self, images, moved):
        def step(kind, row, column, x):
            return getattr(self, f"{kind}_model_{row}{column}")(x)

        cells = [step("residual", "head", row + 1, x) for row, x in enumerate(moved)]
        cells[0] = cells[0] + self.residual_model_head0(images)
        for column in (0, 1, 4, 5):
            down = column < 2
            for row in (0, 1, 2) if down else (2, 1, 0):
                x = cells[row]
                x = x + step("residual", row, column, x) if column else x
                if down and row:
                    x = x + step("downsample", row, column, cells[row - 1])
                if not down and row < 2:
                    x = x + step("upsample", row, column, cells[row + 1])
                cells[row] = x
        tail = self.residual_model_tail
        return tail.conv_last(tail.upsample(tail.conv_before_upsample(cells[0])))


class _RIFE(nn.Module):
    """Practical-RIFE 4.6."""

    def __init__(self):
        super().__init__()
        for number, width in enumerate(RIFE.values()):
            setattr(self, f"block{number}", RIFEBlock(12 if number else 7, width, 1))

    def forward(self, frame0, frame1, time):
        pair = frame0.clamp(0, 1), frame1.clamp(0, 1)
        plane, flow, logit = torch.full_like(frame0[:, :1], time), None, 0.0
        seen = torch.cat([*pair, plane], 1)
        for number, scale in enumerate(RIFE):
            step, change, _ = getattr(self, f"block{number}")(seen, flow, scale)
            flow = step if flow is None else flow + step
            logit = logit + change
            warped = warp_pair(pair, flow)
            seen = torch.cat([*warped, plane, logit], 1)
        share = torch.sigmoid(logit)
        return share * warped[0] + (1 - share) * warped[1]


def _moved(image, flow, metric):
    weight = metric.exp()
    total = splat(torch.cat([image * weight, weight], 1), flow)
    return total[:, :-1] / (total[:, -1:] + 1e-7)


def _block(inputs, outputs, *, stride=1, up=False):
    block = Block(inputs, outputs, stride=stride, **ONE).netMain
    if up:
        block[1] = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)
    return block
