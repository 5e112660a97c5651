"""One small call of every op, for the suites that run on every op."""

import dataclasses
from collections.abc import Callable

import jax
import numpy as np

from vfi_jax import ops


@dataclasses.dataclass(frozen=True)
class Spec:
    """An array argument.

    Attributes:
      kind: "image" (any float type), "flow" (displacements), "plane" (positive numbers) or
        "shared" (without leading axes).
      shape: from height and width, without leading axes.
    """

    kind: str
    shape: Callable[[int, int], tuple[int, ...]]


def image(channels=3, *, grow=0):
    return Spec("image", lambda height, width: (height + grow, width + grow, channels))


def plane(channels=1):
    return Spec("plane", lambda height, width: (height, width, channels))


def shared(*shape):
    return Spec("shared", lambda height, width: shape)


def flow(channels=2):
    return Spec("flow", lambda height, width: (height, width, channels))


VOLUMES = tuple(
    Spec("image", lambda height, width, size=size: (height, width, *size))
    for size in ((4, 5), (2, 2))
)
HALVED = Spec("image", lambda height, width: (-(-height // 2), -(-width // 2), 3))

EXAMPLES = {
    "adaptive_flow_conv": {"image": image(), "weight": plane(9), "offset": flow(18)},
    "adaptive_separable_conv": {
        "image": image(grow=4),
        "vertical": image(5),
        "horizontal": image(5),
    },
    "adaptive_warp": {"image": image(), "flow": flow(), "kernel": image(16)},
    "all_pairs_correlation": {"features0": image(4), "features1": image(4), "levels": 1},
    "backward_warp": {"image": image(), "flow": flow()},
    "census_transform": {"image": image(), "window": 3, "softness": 1.0},
    "correlate_around": {
        "features0": image(4),
        "features1": image(4),
        "flow": flow(),
        "levels": 1,
        "radius": 1,
    },
    "correlation_lookup": {"volumes": VOLUMES, "flow": flow(), "radius": 1},
    "cost_volume": {"features0": image(4), "features1": image(4), "radius": 2},
    "deformable_conv": {
        "x": image(4),
        "offset": flow(36),
        "mask": plane(18),
        "kernel": shared(3, 3, 4, 2),
        "bias": shared(2),
        "groups": 2,
    },
    "depth_flow_projection": {"flow": flow(), "weight": plane(), "fill_holes": True},
    "fill_holes": {"flow": image(2), "valid": image(1)},
    "flow_projection": {"flow": flow(), "fill_holes": True},
    "flow_reversal": {"flow": flow(), "metric": plane()},
    "forward_backward_error": {"flow01": flow(), "flow10": flow()},
    "forward_splat": {"image": image(), "flow": flow(), "metric": plane(), "mode": "softmax"},
    "gaussian_pyramid": {"image": image(), "levels": 2},
    "imresize": {"x": image(), "scale": 0.6},
    "inside": {"flow": flow(), "threshold": 0.5},
    "laplacian_pyramid": {"image": image(), "levels": 1},
    "occlusion_mask": {"flow01": flow(), "flow10": flow()},
    "pixel_shuffle": {"x": image(8), "factor": 2},
    "pixel_unshuffle": {"x": Spec("image", lambda h, w: (2 * h, 2 * w, 3)), "factor": 2},
    "reconstruct_laplacian": {"pyramid": (image(), HALVED)},
    "resize_bilinear": {"x": image(), "shape": (8, 5)},
    "resize_flow": {"flow": flow(), "shape": (8, 5)},
    "voxel_warp": {
        "frame0": image(),
        "frame1": image(),
        "flow0": flow(),
        "flow1": flow(),
        "weight": plane(),
    },
}


def call(name):
    """The op of that name with its example's options, as a function of a dict of arrays."""
    options = {k: v for k, v in EXAMPLES[name].items() if not _is_array(v)}
    return lambda arrays: getattr(ops, name)(**arrays, **options)


def arrays(name, *, lead=(), size=(5, 7), seed=0):
    """The array arguments of the example, as NumPy arrays."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(
        lambda spec: _draw(rng, spec, lead, size),
        specs(name),
        is_leaf=lambda v: isinstance(v, Spec),
    )


def abstract(name, *, lead=(), size):
    """The same as shapes and types."""

    def shape(spec):
        whole = (() if spec.kind == "shared" else lead) + spec.shape(*size)
        return jax.ShapeDtypeStruct(whole, np.float32)

    return jax.tree.map(shape, specs(name), is_leaf=lambda value: isinstance(value, Spec))


def specs(name):
    """Array arguments of the example, by name."""
    return {key: value for key, value in EXAMPLES[name].items() if _is_array(value)}


def kinds(name):
    """The kind of every array argument."""
    leaves = {
        key: value[0] if isinstance(value, tuple) else value for key, value in specs(name).items()
    }
    return {key: spec.kind for key, spec in leaves.items()}


def _is_array(value):
    return isinstance(value, Spec) or (isinstance(value, tuple) and isinstance(value[0], Spec))


def _draw(rng, spec, lead, size):
    shape = (() if spec.kind == "shared" else lead) + spec.shape(*size)
    if spec.kind == "flow":
        # Nowhere near a whole pixel, where a derivative has two sides.
        return (rng.integers(-2, 2, shape) + rng.uniform(0.2, 0.8, shape)).astype(np.float32)
    if spec.kind == "plane":
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    return rng.standard_normal(shape).astype(np.float32)
