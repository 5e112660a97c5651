"""One picture for each op: its inputs and its output, on a rendered scene.

A function of this file has the name of its op and returns captions and pictures.
"""

import functools
from typing import Any, NamedTuple

import cv2
import jax
import jax.numpy as jnp
import numpy as np

from vfi_jax import draw, ops
from vfi_jax.data.scene import Scene

HEIGHT, WIDTH, MOTION, SEED = 108, 168, 10.0, 5
Pictures = list[tuple[str, Any]]


class View(NamedTuple):
    """Two rendered frames with their exact motion."""

    frame0: jax.Array
    frame1: jax.Array
    flow01: jax.Array
    flow10: jax.Array
    flow_t0: jax.Array
    flow_t1: jax.Array
    hidden: jax.Array


def view() -> View:
    """The scene at times 0 and 1."""
    scene = Scene(SEED, HEIGHT, WIDTH, motion=MOTION, objects=4)
    arrays = (
        scene.frame(0),
        scene.frame(1),
        scene.flow(0, 1),
        scene.flow(1, 0),
        scene.flow(0.5, 0),
        scene.flow(0.5, 1),
        scene.occlusion(0, 1),
    )
    return View(*map(jnp.asarray, arrays))


def picture(name: str, shown: View) -> np.ndarray:
    """The picture of an op, `[H, W, 3]` uint8."""
    return draw.grid([globals()[name](shown)])


def backward_warp(v: View) -> Pictures:
    """Frame 1 sampled along the flow looks like frame 0, except in occluded areas."""
    out = _run(ops.backward_warp, v.frame1, v.flow01, padding="border")
    return [("image: frame 1", v.frame1), _flow(v), ("backward_warp", out), ("frame 0", v.frame0)]


def inside(v: View) -> Pictures:
    """Where the flow leaves the image."""
    far = 4 * v.flow01
    out = _run(ops.inside, far, threshold=0.999)
    return [("flow, 4 times as long", _colours(far)), ("inside: white is 1", _grey(out))]


def voxel_warp(v: View) -> Pictures:
    """Both frames warped to the midpoint and blended."""
    half = jnp.full_like(v.hidden, 0.5)
    out = _run(ops.voxel_warp, v.frame0, v.frame1, v.flow_t0, v.flow_t1, half)
    return [("frame 0", v.frame0), ("frame 1", v.frame1), ("voxel_warp", out)]


def forward_splat(v: View) -> Pictures:
    """Frame 0 splatted to the midpoint in three modes; black pixels are holes."""
    metric = -20 * jnp.abs(v.frame0 - ops.backward_warp(v.frame1, v.flow01)).mean(-1, keepdims=True)
    half = v.flow01 / 2
    modes = {"sum": None, "average": None, "softmax": metric}
    return [("image: frame 0", v.frame0)] + [
        (f'mode="{mode}"', _run(ops.forward_splat, v.frame0, half, mode=mode, metric=metric))
        for mode, metric in modes.items()
    ]


def flow_reversal(v: View) -> Pictures:
    """The reverse flow, with holes."""
    return [_flow(v), ("flow_reversal", _colours(_run(ops.flow_reversal, v.flow01)))]


def flow_projection(v: View) -> Pictures:
    """The flow from the midpoint frame to frame 0, with and without holes."""
    half = v.flow01 / 2
    return [
        ("flow, half-way", _colours(half)),
        ("flow_projection", _colours(_run(ops.flow_projection, half))),
        ("fill_holes=True", _colours(_run(ops.flow_projection, half, fill_holes=True))),
    ]


def depth_flow_projection(v: View) -> Pictures:
    """Where two flows land, the nearer one dominates."""
    half = v.flow01 / 2
    # Fast objects are regarded as near here, because the scene has no depth.
    weight = 0.05 + jnp.linalg.norm(v.flow01, axis=-1, keepdims=True)
    out = _run(ops.depth_flow_projection, half, weight, fill_holes=True)
    return [
        ("flow, half-way", _colours(half)),
        ("weight", draw.greys(weight)),
        ("depth_flow_projection", _colours(out)),
    ]


def fill_holes(v: View) -> Pictures:
    """Holes take the mean of the nearest known pixels of their row and column."""
    valid = jnp.asarray(np.random.default_rng(0).random(v.hidden.shape) > 0.7, jnp.float32)
    out = _run(ops.fill_holes, v.flow01 * valid, valid)
    return [
        ("flow with holes", _colours(v.flow01 * valid)),
        ("valid", _grey(valid)),
        ("fill_holes", _colours(out)),
    ]


def forward_backward_error(v: View) -> Pictures:
    """Large where a pixel of frame 0 is occluded in frame 1."""
    out = _run(ops.forward_backward_error, v.flow01, v.flow10)
    return [_flow(v), ("flow10", _colours(v.flow10)), ("forward-backward error", draw.greys(out))]


def occlusion_mask(v: View) -> Pictures:
    """Pixels of frame 0 that are occluded in frame 1."""
    out = _run(ops.occlusion_mask, v.flow01, v.flow10)
    return [_flow(v), ("occlusion_mask", _grey(out)), ("exact", _grey(v.hidden))]


def adaptive_warp(v: View) -> Pictures:
    """A 4x4 kernel per pixel filters around the position where the flow points."""
    sharp = jnp.zeros((*v.hidden.shape[:-1], 16)).at[..., jnp.asarray([5, 6, 9, 10])].set(1.0)
    soft = jnp.full((*v.hidden.shape[:-1], 16), 0.25)
    return [
        ("image: frame 1", v.frame1),
        _flow(v),
        ("inner 2x2: bilinear", _run(ops.adaptive_warp, v.frame1, v.flow01, sharp)),
        ("16 equal taps: blur", _run(ops.adaptive_warp, v.frame1, v.flow01, soft)),
    ]


def adaptive_separable_conv(v: View) -> Pictures:
    """One kernel per pixel; here the width grows from left to right."""
    taps, reach = 17, 8
    width = jnp.linspace(0.3, 4, WIDTH)[:, None]
    kernel = jnp.exp(-0.5 * ((jnp.arange(taps) - reach) / width) ** 2)
    kernel = jnp.broadcast_to(kernel / kernel.sum(-1, keepdims=True), (HEIGHT, WIDTH, taps))
    padded = jnp.pad(v.frame0, ((reach, reach), (reach, reach), (0, 0)), "edge")
    tiles = draw.kernel_tiles(kernel[..., :, None] * kernel[..., None, :], 24)
    out = _run(ops.adaptive_separable_conv, padded, kernel, kernel)
    return [("image: frame 0", v.frame0), ("kernels", tiles), ("result", out)]


def adaptive_flow_conv(v: View) -> Pictures:
    """Nine taps per pixel with individual offsets; here along the flow."""
    offset = jnp.tile(v.flow01[..., ::-1], 9)
    weight = jnp.full((*v.hidden.shape[:-1], 9), 1 / 9)
    out = _run(ops.adaptive_flow_conv, v.frame1, weight, offset)
    return [("image: frame 1", v.frame1), _flow(v), ("9 taps along the flow", out)]


def deformable_conv(v: View) -> Pictures:
    """A 3x3 convolution with displaced taps; here the spread grows from left to right."""
    taps = jnp.asarray([(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)], jnp.float32)
    spread = jnp.linspace(0, 6, WIDTH)[None, :, None, None]
    offset = jnp.broadcast_to(spread * taps, (HEIGHT, WIDTH, 9, 2)).reshape(HEIGHT, WIDTH, 18)
    mask = jnp.ones((HEIGHT, WIDTH, 9))
    kernel = jnp.tile(jnp.eye(3)[None, None] / 9, (3, 3, 1, 1))
    out = _run(ops.deformable_conv, v.frame0, offset, mask, kernel)
    return [("x: frame 0", v.frame0), ("9 taps, spread", out)]


def census_transform(v: View) -> Pictures:
    """Signs of differences with neighbours; brightness does not matter."""
    dark = 0.4 * v.frame0
    shown = jnp.asarray([0, 4, 5])  # three of the nine neighbours, as red, green and blue
    both = [_run(ops.census_transform, image, window=3)[..., shown] for image in (v.frame0, dark)]
    return [
        ("image", v.frame0),
        ("census, 3 channels", both[0] / 2 + 0.5),
        ("darker", dark),
        ("its census", both[1] / 2 + 0.5),
    ]


def cost_volume(v: View) -> Pictures:
    """The best of 21x21 displacements by correlation of normalised patches."""
    features = [_features(image) for image in (v.frame0, v.frame1)]
    out = _run(ops.cost_volume, *features, radius=10)
    best = out.argmax(-1)
    found = jnp.stack([best % 21, best // 21], -1).astype(jnp.float32) - 10
    place = out[_focus(v)].reshape(21, 21)
    return [
        ("frame 0, one pixel", _marked(v)),
        ("its 21x21 correlations", _enlarged(place)),
        ("best displacement", _colours(found)),
        _flow(v),
    ]


def all_pairs_correlation(v: View) -> Pictures:
    """Correlation of one pixel of frame 0 with all pixels of frame 1, at two resolutions."""
    features = [_features(image)[::2, ::2] for image in (v.frame0, v.frame1)]
    volumes = _run(ops.all_pairs_correlation, *features, levels=2)
    y, x = _focus(v)
    maps = [_enlarged(volume[y // 2, x // 2]) for volume in volumes]
    return [("frame 0, one pixel", _marked(v)), ("level 0", maps[0]), ("level 1", maps[1])]


def correlation_lookup(v: View) -> Pictures:
    """Correlations around the place where the flow points: a peak in the middle if it is right."""
    return _looked_up(
        v,
        lambda a, b, flow: ops.correlation_lookup(
            ops.all_pairs_correlation(a, b, levels=1), flow, radius=4
        ),
    )


def correlate_around(v: View) -> Pictures:
    """The same values as with `correlation_lookup`, without storing all pairs."""
    return _looked_up(v, functools.partial(ops.correlate_around, levels=1, radius=4))


def gaussian_pyramid(v: View) -> Pictures:
    """Repeated blurring and halving."""
    levels = _run(ops.gaussian_pyramid, v.frame0, levels=4)
    return [(f"level {i}", _fitted(level)) for i, level in enumerate(levels)]


def laplacian_pyramid(v: View) -> Pictures:
    """The detail lost by each halving, and the remaining small image."""
    *bands, rest = _run(ops.laplacian_pyramid, v.frame0, levels=3)
    pictures = [(f"band {i}", _fitted(band * 2 + 0.5)) for i, band in enumerate(bands)]
    return [*pictures, ("low-pass", _fitted(rest))]


def reconstruct_laplacian(v: View) -> Pictures:
    """The bands add up to the image again; without the finest band it is blurred."""
    pyramid = _run(ops.laplacian_pyramid, v.frame0, levels=3)
    blurred = (jnp.zeros_like(pyramid[0]), *pyramid[1:])
    return [
        ("image", v.frame0),
        ("reconstructed", _run(ops.reconstruct_laplacian, pyramid)),
        ("without band 0", _run(ops.reconstruct_laplacian, blurred)),
    ]


def resize_bilinear(v: View) -> Pictures:
    """An enlarged detail with half-pixel centres and with aligned corners."""
    detail = v.frame0[30:42, 40:58]
    size = HEIGHT, WIDTH
    return [
        ("12x18 pixels", _fitted(detail)),
        ("resize_bilinear", _run(ops.resize_bilinear, detail, shape=size)),
        ("align_corners=True", _run(ops.resize_bilinear, detail, shape=size, align_corners=True)),
    ]


def resize_flow(v: View) -> Pictures:
    """Half the size, half the vectors; the same colours at half the full scale."""
    small = _run(ops.resize_flow, v.flow01, shape=(HEIGHT // 2, WIDTH // 2))
    return [_flow(v), ("resize_flow to 1/2", _fitted(_colours(2 * small)))]


def imresize(v: View) -> Pictures:
    """Antialiased downscaling, compared with every fourth pixel."""
    small = _run(ops.imresize, v.frame0, scale=0.25)
    return [
        ("image", v.frame0),
        ("every fourth pixel", _fitted(v.frame0[::4, ::4])),
        ("imresize by 1/4", _fitted(small)),
    ]


def pixel_shuffle(v: View) -> Pictures:
    """Channels become pixels."""
    channels = ops.pixel_unshuffle(v.frame0, 2)
    out = _run(ops.pixel_shuffle, channels, factor=2)
    return [("3 of 12 channels", _fitted(channels[..., ::4])), ("pixel_shuffle", out)]


def pixel_unshuffle(v: View) -> Pictures:
    """Blocks of pixels become channels of half the size."""
    out = _run(ops.pixel_unshuffle, v.frame0, factor=2)
    pictures = [(f"channels {i}, {i + 4}, {i + 8}", _fitted(out[..., i::4])) for i in range(2)]
    return [("image", v.frame0), *pictures]


def _looked_up(v, op):
    features = [_features(image) for image in (v.frame0, v.frame1)]
    right = _run(op, *features, v.flow01)[_focus(v)].reshape(9, 9).T
    wrong = _run(op, *features, v.flow01 + 2.0)[_focus(v)].reshape(9, 9).T
    return [
        ("frame 0, one pixel", _marked(v)),
        ("around the exact flow", _enlarged(right)),
        ("flow wrong by (2, 2)", _enlarged(wrong)),
    ]


def _run(op, *arrays, **options):
    return jax.jit(functools.partial(op, **options))(*arrays)


def _features(image):
    """Census patches of unit length: structure correlates, brightness does not."""
    patches = ops.census_transform(image, window=9, softness=0.1)
    return patches / jnp.linalg.norm(patches, axis=-1, keepdims=True).clip(1e-6)


def _focus(v):
    """(y, x) of a pixel on the fastest object."""
    speed = np.hypot(*np.moveaxis(np.asarray(v.flow01), -1, 0))
    inner = cv2.blur(speed, (15, 15))[16:-16, 16:-16]
    y, x = np.unravel_index(inner.argmax(), inner.shape)
    return int(y) + 16, int(x) + 16


def _marked(v):
    """Frame 0 with a white ring around the focus."""
    y, x = _focus(v)
    return cv2.circle(draw.as_bytes(v.frame0), (x, y), 5, (255, 255, 255), 2)


def _flow(v):
    return "flow01", _colours(v.flow01)


def _colours(flow):
    return draw.flow_colours(flow, largest=MOTION)


def _grey(mask):
    return draw.greys(mask, largest=1.0)


def _enlarged(values):
    """A map as a grey image with the frames' size, from its minimum to its maximum."""
    values = np.asarray(values, np.float64)
    values = (values - values.min()) / (np.ptp(values) or 1)
    return _fitted(draw.greys(values[..., None], largest=1.0))


def _fitted(image):
    """Any image at the frames' size, with pixels as blocks."""
    image = np.asarray(image)
    rows = np.arange(HEIGHT) * image.shape[0] // HEIGHT
    columns = np.arange(WIDTH) * image.shape[1] // WIDTH
    return image[rows][:, columns]
