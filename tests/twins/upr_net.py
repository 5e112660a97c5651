"""UPR-Net (Jin et al. 2023), with the three levels that frames of up to 448 pixels get."""

import torch
from torch import nn
from torch.nn import functional

from tests.twins._layers import conv, conv_prelu, cost_volume, resize, splat, up_prelu

LEVELS = 3
WIDTH = 16


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.feat_pyramid, self.motion_estimator = _Pyramid(), _Motion()
        self.synthesis_network = _Synthesis()

    def forward(self, frame0, frame1, time):
        pair = torch.cat([frame0, frame1]).flip(1)  # BGR
        flow = made = None
        for level in reversed(range(LEVELS)):
            here = resize(pair, 1 / 2**level) if level else pair
            features = self.feat_pyramid(here)
            if flow is None:
                state = torch.zeros_like(features[2].chunk(2)[0])
                flow = torch.zeros_like(state[:, :4])
            else:
                state, flow = 2 * resize(state, 2), 2 * resize(flow, 2)
            state, flow = self.motion_estimator(features[2], state, flow)
            made = self.synthesis_network(here, features, flow, made, time)
        return made.flip(1)


class _Pyramid(nn.Module):
    def __init__(self):
        super().__init__()
        before = 3
        for stage in range(3):
            layers, width = [], WIDTH * 2**stage
            for index in range(4):
                layers += [conv(before, width, stride=1 if index or not stage else 2), _leaky()]
                before = width
            setattr(self, f"conv_stage{stage}", nn.Sequential(*layers))

    def forward(self, x):
        levels = []
        for stage in range(3):
            x = getattr(self, f"conv_stage{stage}")(x)
            levels.append(x)
        return levels


class _Motion(nn.Module):
    """Flow between the frames at a quarter of the level's resolution, in pixels of the level."""

    def __init__(self):
        super().__init__()
        before = 81 + 3 * 4 * WIDTH + 4
        for index, width in enumerate((160, 128, 112, 96, 64), start=1):
            layer = conv(before, width, 3 if index > 1 else 1)
            setattr(self, f"conv_layer{index}", nn.Sequential(layer, _leaky()))
            before = width
        self.conv_layer6 = nn.Sequential(conv(before, 4))

    def forward(self, features, state, flow):
        halves = torch.cat([flow[:, :2], flow[:, 2:]]) * 0.125  # pixels of the features
        features0, features1 = _splatted(features, halves).chunk(2)
        volume = functional.leaky_relu(cost_volume(features0, features1), 0.1)
        x = torch.cat([volume, features0, features1, state, flow], 1)
        for index in range(1, 6):
            x = getattr(self, f"conv_layer{index}")(x)
        return x, self.conv_layer6(x)


class _Synthesis(nn.Module):
    def __init__(self):
        super().__init__()
        c = 2 * WIDTH
        self.encoder_conv = nn.Sequential(*conv_prelu(19, c), *conv_prelu(c, c))
        self.encoder_down1 = nn.Sequential(
            *conv_prelu(2 * c, 2 * c, 2), *conv_prelu(2 * c, 2 * c), *conv_prelu(2 * c, 2 * c)
        )
        self.encoder_down2 = nn.Sequential(
            *conv_prelu(4 * c, 4 * c, 2), *conv_prelu(4 * c, 4 * c), *conv_prelu(4 * c, 4 * c)
        )
        self.decoder_up1 = nn.Sequential(*up_prelu(8 * c, 2 * c), *conv_prelu(2 * c, 2 * c))
        self.decoder_up2 = nn.Sequential(*up_prelu(4 * c, c), *conv_prelu(c, c))
        self.decoder_conv = nn.Sequential(*conv_prelu(2 * c, c), *conv_prelu(c, c))
        self.pred = conv(c, 5)

    def forward(self, pair, features, flow, coarser, time):
        frames = len(flow)
        share = torch.tensor([time, 1 - time]).repeat_interleave(frames).view(-1, 1, 1, 1)
        at = share * resize(torch.cat([flow[:, :2], flow[:, 2:]]), 4)
        warped, near, arrived = _splatted(pair, at), 1 - share, []
        seen_flow = torch.cat(at.chunk(2), 1)
        for level in features:
            arrived.append(torch.cat(_splatted(level, at).chunk(2), 1))
            at = 0.5 * resize(at, 0.5)
        coarser = sum((near * warped).chunk(2)) if coarser is None else resize(coarser, 2)
        x = torch.cat([coarser, *warped.chunk(2), *pair.chunk(2), seen_flow], 1)
        first = self.encoder_conv(x)
        second = self.encoder_down1(torch.cat([first, arrived[0]], 1))
        third = self.encoder_down2(torch.cat([second, arrived[1]], 1))
        x = self.decoder_up1(torch.cat([third, arrived[2]], 1))
        x = self.decoder_up2(torch.cat([x, second], 1))
        x = self.pred(self.decoder_conv(torch.cat([x, first], 1)))
        weight = near * torch.cat([torch.sigmoid(x[:, 3:4]), torch.sigmoid(x[:, 4:])])
        blend = sum((weight * warped).chunk(2)) / sum(weight.chunk(2))
        return (blend + 2 * torch.sigmoid(x[:, :3]) - 1).clamp(0, 1)


def _splatted(pair, flow):
    """The average of what arrives; 0 where nothing does."""
    total = splat(torch.cat([pair, torch.ones_like(pair[:, :1])], 1), flow)
    weight = total[:, -1:]
    return total[:, :-1] / torch.where(weight == 0, 1.0, weight)


def _leaky():
    return nn.LeakyReLU(0.1)
