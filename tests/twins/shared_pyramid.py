"""The shared pyramid; keys are the paths of its parameters."""

import math

import torch
from torch import nn
from torch.nn import functional

from tests.twins._layers import conv, conv_prelu, cost_volume, resize, warp

CHANNELS, DEPTH, WIDTH = 48, 4, 8
SCALES, COARSE = (8, 8, 4, 4, 2, 2, 1), 4
FEATURES = (16, 32)  # at half and at quarter resolution
CARRIED, RADIUS = 8, 3
FINE = (16, 1, 2)  # channels, convolutions and radius at half resolution
LAST = (16, 1)
SLOPE, SHARPNESS, FAINT, NOISE = 0.2, 30.0, 1e-3, 0.01
WINDOW = torch.tensor([1.0, 4, 6, 4, 1]) / 16


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.flow, self.context, self.refine = _Flow(), nn.Module(), _Refinement()
        before = 3
        for level in range(4):
            setattr(self.context, f"level{level}", _Halving(before, WIDTH * 2**level))
            before = WIDTH * 2**level

    def forward(self, frame0, frame1, time):
        both = torch.cat([frame0, frame1]).flip(1)  # BGR
        x, context = both, []
        for level in range(4):
            x = getattr(self.context, f"level{level}")(x)
            context.append(x)
        flow, logit = self.flow(both, time)
        warped, moved, at = warp(both, flow), [], flow
        for features in context:
            at = 0.5 * resize(at, 0.5)
            moved.append(_side_by_side(warp(features, at)))
        seen = [_side_by_side(both), _side_by_side(warped), logit, _side_by_side(flow)]
        residual = self.refine(torch.cat(seen, 1), moved)
        share, (warped0, warped1) = torch.sigmoid(logit), warped.chunk(2)
        return (share * warped0 + (1 - share) * warped1 + residual).clamp(0, 1).flip(1)


class _Flow(nn.Module):
    """Flow from the new frame to both, `[2 B, 2, H, W]`, and the logit of frame 0's share."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Module()
        half, quarter = FEATURES
        sizes = ((3, half, 2), (half, half, 1), (half, quarter, 2), (quarter, quarter, 1))
        for index, (inputs, outputs, stride) in enumerate(sizes):
            setattr(self.encoder, f"conv{index}", conv(inputs, outputs, stride=stride))
        self.coarse_block, self.block = (
            _Step(quarter, CHANNELS, DEPTH, CARRIED, RADIUS) for _ in range(2)
        )
        self.fine_block = _Step(half, *FINE[:2], 0, FINE[2])
        self.last_blocks_0, self.last_blocks_1 = _PixelStep(*LAST), _PixelStep(*LAST)

    def forward(self, both, time):
        pairs = {1: both}
        for scale in (2, 4, 8, 16):
            pairs[scale] = functional.avg_pool2d(pairs[scale // 2], 2)
        features = {scale: self._features(pairs[scale]) for scale in set(SCALES)}
        count, prior = len(both) // 2, math.log((1 - time) / time)
        share = torch.tensor([time, 1 - time]).repeat_interleave(count).view(-1, 1, 1, 1)
        height, width = features[SCALES[0]][1].shape[2:]
        motion, state = both.new_zeros(2 * count, 2, height, width), None
        state = both.new_zeros(count, 1 + CARRIED, height, width)
        blocks = [self.coarse_block] * COARSE + [self.block] * (len(SCALES) - COARSE)
        steps = [(features[scale][1], pairs[2 * scale]) for scale in SCALES]
        steps.append((features[SCALES[-1]][0], pairs[SCALES[-1]]))
        for block, (seen, pair) in zip([*blocks, self.fine_block], steps, strict=True):
            size = seen.shape[2:]
            moved, known = _resized_flow(motion, size), _resized(state, size)
            step = block(warp(seen, share * moved), moved, known, time)
            size = pair.shape[2:]
            motion = _resized_flow(motion, size) + torch.cat(step[:, :4].split(2, 1))
            state = _resized(state, size)[:, : step.shape[1] - 4] + step[:, 4:]
        logit = prior + state[:, :1]
        for block in (self.last_blocks_0, self.last_blocks_1):
            step = block(warp(both, share * motion), motion, logit, time)
            motion = motion + torch.cat(step[:, :4].split(2, 1))
            logit = logit + step[:, 4:]
        return share * motion, logit

    def _features(self, frames):
        encoder = self.encoder
        x = frames - resize(functional.avg_pool2d(frames, 4), 4)
        fine = encoder.conv1(torch.tanh(encoder.conv0(x)))
        coarse = encoder.conv3(torch.tanh(encoder.conv2(torch.tanh(fine))))
        return [x / (x.square().mean(1, keepdim=True) + FAINT).sqrt() for x in (fine, coarse)]


class _Convs(nn.Module):
    """Increments at twice the resolution: motion, the confidence of the match, the rest."""

    def __init__(self, inputs, width, depth, outputs):
        super().__init__()
        self.stem, self.head, self.depth = conv(inputs, width), conv(width, 4 * outputs), depth
        for index in range(depth):
            setattr(self, f"body{index}", conv(width, width))

    def towards(self, match, x):
        x = _leaky(self.stem(x))
        for index in range(self.depth):
            x = _leaky(getattr(self, f"body{index}")(x) + x)
        step = functional.pixel_shuffle(self.head(x), 2)
        moved = torch.sigmoid(step[:, 4:5] - 1) * 2 * resize(match, 2)
        return torch.cat([step[:, :4] + torch.cat([-moved, moved], 1), step[:, 5:]], 1)


class _Step(_Convs):
    def __init__(self, features, width, depth, carried, radius):
        similar = (2 * radius + 1) ** 2
        super().__init__(
            2 * features + similar + 2 + 4 + 1 + CARRIED + 1, width, depth, 6 + carried
        )
        self.sharpness, self.radius = nn.Parameter(torch.zeros(())), radius

    def forward(self, warped, motion, state, time):
        similar = cost_volume(*warped.chunk(2), self.radius)
        line = torch.arange(-self.radius, self.radius + 1.0)
        y, x = (axis.flatten() for axis in torch.meshgrid(line, line, indexing="ij"))
        weights = (SHARPNESS * self.sharpness.exp() * similar).softmax(1)
        match = torch.einsum("bthw,ct->bchw", weights, torch.stack([x, y]))
        seen = [_side_by_side(warped), similar, match, _side_by_side(motion), state]
        return self.towards(match, torch.cat([*seen, torch.full_like(match[:, :1], time)], 1))


class _PixelStep(_Convs):
    def __init__(self, width, depth):
        super().__init__(4 * (6 + 4 + 1) + 2 + 1, width, depth, 6)

    def forward(self, warped, motion, logit, time):
        seen = torch.cat([_side_by_side(warped), _side_by_side(motion), logit], 1)
        left = _displacement(*functional.avg_pool2d(warped, 2).chunk(2))
        plane = torch.full_like(left[:, :1], time)
        x = torch.cat([functional.pixel_unshuffle(seen, 2), left, plane], 1)
        return self.towards(left, x)


class _Refinement(nn.Module):
    def __init__(self):
        super().__init__()
        w = 2 * WIDTH
        self.down0, self.down1 = _Halving(17, w), _Halving(2 * w, 2 * w)
        self.down2, self.down3 = _Halving(4 * w, 4 * w), _Halving(8 * w, 8 * w)
        for level, inputs in enumerate((16 * w, 8 * w, 4 * w)):
            outputs = WIDTH * 2 ** (3 - level)
            setattr(self, f"up{level}", nn.ConvTranspose2d(inputs, outputs, 4, 2, 1))
            setattr(self, f"up{level}_prelu", nn.PReLU(outputs))
        self.head = conv(2 * w, 12)

    def forward(self, x, context):
        skips = []
        for level, features in enumerate(context):
            x = getattr(self, f"down{level}")(x)
            skips.append(x)
            x = torch.cat([x, features], 1)
        for level in range(3):
            x = getattr(self, f"up{level}_prelu")(getattr(self, f"up{level}")(x))
            x = torch.cat([x, skips[2 - level]], 1)
        return 2 * torch.sigmoid(functional.pixel_shuffle(self.head(x), 2)) - 1


class _Halving(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv0, self.conv1 = nn.Module(), nn.Module()
        for part, (before, stride) in ((self.conv0, (inputs, 2)), (self.conv1, (outputs, 1))):
            part.conv, part.prelu = conv_prelu(before, outputs, stride)

    def forward(self, x):
        for part in (self.conv0, self.conv1):
            x = part.prelu(part.conv(x))
        return x


def _displacement(image0, image1):
    """Lucas and Kanade's, in a window of five by five pixels, at most one pixel."""
    mean, change = (image0 + image1) / 2, image1 - image0
    padded = functional.pad(mean, (1, 1, 1, 1), mode="replicate")
    x = (padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]) / 2
    y = (padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]) / 2
    products = [(a * b).sum(1) for a, b in ((x, x), (y, y), (x, y), (x, change), (y, change))]
    products = functional.pad(torch.stack(products, 1), (2, 2, 2, 2), mode="replicate")
    kernel = torch.outer(WINDOW, WINDOW).expand(5, 1, 5, 5)
    xx, yy, xy, xt, yt = functional.conv2d(products, kernel, groups=5).unbind(1)
    xx, yy = xx + NOISE**2, yy + NOISE**2
    found = torch.stack([xy * yt - yy * xt, xy * xt - xx * yt], 1)
    return (found / (xx * yy - xy * xy)[:, None]).clamp(-1, 1)


def _side_by_side(both):
    return torch.cat(both.chunk(2), 1)


def _resized(x, size):
    return functional.interpolate(x, size, mode="bilinear") if x.shape[2:] != size else x


def _resized_flow(flow, size):
    return _resized(flow, size) * (size[1] / flow.shape[3])


def _leaky(x):
    return functional.leaky_relu(x, SLOPE)
