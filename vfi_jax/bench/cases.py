"""Benchmark cases: operations on random arrays of typical sizes, and whole models."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from vfi_jax import lookup, ops, registry
from vfi_jax.ops import kernels

TAPS = 51  # length of SepConv's kernels
RULE = optax.adam(1e-4)  # for timed training steps
MOTION = 3.0  # standard deviation of flows and offsets in pixels


@dataclasses.dataclass(frozen=True)
class Case:
    """A benchmark case.

    Attributes:
      name: name of the operation or model.
      detail: description of its sizes.
      function: function of the arrays.
      arrays: float32 NumPy arrays, or a pytree of them.
      flops: additions and multiplications required by the definition; None: count the
        convolutions and matrix products of the traced program.
      differentiable: gradients with respect to the arrays can be timed.
      training: the function is a training step.
      baseline: function of the same arrays, timed alternately with `function`.
    """

    name: str
    detail: str
    function: Callable[..., Any]
    arrays: tuple[Any, ...]
    flops: float | None = None
    differentiable: bool = True
    training: bool = False
    baseline: Callable[..., Any] | None = None


def operation_cases(
    names: Iterable[str] = (), *, size: tuple[int, int] = (256, 448), backend: str = "xla"
) -> Iterator[Case]:
    """Operations with arrays of typical channel counts, created lazily.

    Args:
      names: names of the operations; all by default.
      size: height and width of the images.
      backend: "pallas" selects only operations that have a kernel.

    Raises:
      ValueError: an operation has no benchmark, or none of them has a kernel.
    """
    makers = {make.__name__.strip("_"): make for make in _OPERATIONS}
    for name in names:
        if name not in makers:
            raise ValueError(lookup.unknown("operation", name, makers))
    chosen = list(names) or list(makers)
    if backend == "pallas":
        chosen = [name for name in chosen if name in lookup.modules(kernels.__name__)]
        if not chosen:
            raise ValueError("backend pallas: none of these operations has a kernel; leave it out")
    return (case for name in chosen for case in makers[name](_Random(*size)))


def model_cases(
    names: Iterable[str],
    *,
    size: tuple[int, int] = (256, 448),
    batch: int = 1,
    training: bool = False,
    **options: Any,
) -> Iterator[Case]:
    """Models on one full window, with all parameters zero, so no weights are needed.

    Zero parameters mean zero motion, the best case for memory access in warping.

    Args:
      names: names of the systems.
      size: height and width of the output; the input is smaller by the model's scale, rounded up
        to the model's multiple.
      batch: number of windows per call.
      training: a training step with Adam and L1 loss instead of inference.
      **options: fields of the Config, such as precision and dtype, for models that have them.

    Raises:
      ValueError: unknown model, or no names.
    """
    names = list(names)
    if not names:
        raise ValueError("name the models to time, such as `vfi-jax bench models rife`, or --all")
    models = [(name, created(name, options)) for name in names]
    return (_model_case(name, model, size, batch, training) for name, model in models)


def shapes(model: nn.Module, size: tuple[int, int], batch: int, *, training: bool) -> tuple:
    """Argument shapes of `inference` or `training_step`.

    Args:
      model: a system.
      size: as in `model_cases`.
      batch: number of windows per call.
      training: shapes for `training_step`.
    """
    contract = model.contract
    whole = contract.multiple
    height, width = (-(-side // (whole * contract.scale)) * whole for side in size)
    inputs = {
        name: jax.ShapeDtypeStruct((batch, *leaf.shape[1:]), leaf.dtype)
        for name, leaf in registry.example_inputs(
            model, train=training, size=(height, width)
        ).items()
    }
    variables = registry.abstract_variables(model, train=training)
    if not training:
        return variables, inputs["frames"], inputs["times"]
    state = jax.eval_shape(RULE.init, variables.get("params", {}))
    return variables, state, inputs["frames"], inputs["times"], inputs["targets"]


def inference(model: nn.Module) -> Callable[..., Any]:
    """The function `(variables, frames, times) -> frames` of a system."""

    def answer(variables, frames, times):
        return model.apply(variables, frames, times)["frames"]

    return answer


def training_step(model: nn.Module) -> Callable[..., Any]:
    """The function `(variables, state, frames, times, targets) -> (parameters, state)`.

    `state` is the state of the optimiser.
    """

    def step(variables, state, frames, times, targets):
        params = variables.get("params", {})  # blend has none

        def loss(params):
            prediction, _ = model.apply(
                {**variables, "params": params},
                frames,
                times,
                targets=targets,
                train=True,
                mutable=["batch_stats"],
            )
            return jnp.abs(prediction["frames"] - targets).mean()

        gradient = jax.grad(loss)(params)
        updates, state = RULE.update(gradient, state)
        return optax.apply_updates(params, updates), state

    return step


def fields(model: nn.Module) -> set[str]:
    """Names of a system's options."""
    return {field.name for field in dataclasses.fields(model.config)}


def created(name: str, options: dict[str, Any]) -> nn.Module:
    """A system created with the options that it has and that are not None."""
    known = fields(registry.create(name))
    chosen = {key: value for key, value in options.items() if value is not None and key in known}
    return registry.create(name, **chosen)


def _model_case(name, model, size, batch, training):
    arguments = shapes(model, size, batch, training=training)
    *fixed, frames, times = arguments[:-1] if training else arguments
    targets = arguments[-1:] if training else ()
    generator = np.random.default_rng(0)
    images = [generator.random(leaf.shape, np.float32) for leaf in (frames, *targets)]
    contract = model.contract
    requested = contract.times or ((contract.frames - 1) / 2,)
    values = np.broadcast_to(np.asarray(requested, np.float32), times.shape)
    zeros = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), fixed)
    height, width = frames.shape[2:4]
    details = [f"{contract.frames} frames {width}x{height} to {len(requested)}", "parameters 0"]
    details += [f"batch {batch}"] if batch > 1 else []
    details += [f"precision {model.config.precision}"] if "precision" in fields(model) else []
    return Case(
        name,
        ", ".join(details),
        (training_step if training else inference)(model),
        (*zeros, images[0], values, *images[1:]),
        differentiable=False,
        training=training,
    )


class _Random:
    """Random arrays of one image size, identical in every run."""

    def __init__(self, height: int, width: int):
        self.height, self.width = height, width
        self.pixels = height * width
        self.generator = np.random.default_rng(0)

    def image(self, channels, *, scale=1.0, margin=0, divide=1):
        size = (self.height // divide + margin, self.width // divide + margin)
        shape = (1, *size, channels)
        return np.float32(scale) * self.generator.standard_normal(shape, np.float32)

    def flow(self):
        return self.image(2, scale=MOTION)

    def positive(self, channels):
        return np.abs(self.image(channels))


def _backward_warp(random):
    for channels in (3, 64):
        yield Case(
            "backward_warp",
            f"{channels} channels",
            ops.backward_warp,
            (random.image(channels), random.flow()),
            8 * channels * random.pixels,
        )


def _forward_splat(random):
    yield Case(
        "forward_splat",
        "3 channels, sum",
        ops.forward_splat,
        (random.image(3), random.flow()),
        8 * 3 * random.pixels,
    )


def _flow_projection(random):
    call = functools.partial(ops.flow_projection, fill_holes=True)
    yield Case("flow_projection", "holes filled", call, (random.flow(),), 12 * random.pixels)


def _depth_flow_projection(random):
    arrays = random.flow(), random.positive(1)
    yield Case("depth_flow_projection", "", ops.depth_flow_projection, arrays, 20 * random.pixels)


def _cost_volume(random):
    flops = 2 * 81 * 32 * random.pixels
    arrays = random.image(32), random.image(32)
    yield Case("cost_volume", "32 channels, radius 4", ops.cost_volume, arrays, flops)


def _correlation_lookup(random):
    features = random.image(128, divide=8), random.image(128, divide=8)
    levels = min(4, min(features[1].shape[1:3]).bit_length())
    volumes = ops.all_pairs_correlation(*features, levels=levels)
    flow = random.image(2, scale=MOTION, divide=8)
    yield Case(
        "correlation_lookup",
        f"{levels} levels at 1/8, radius 4",
        ops.correlation_lookup,
        (tuple(np.asarray(volume) for volume in volumes), flow),
        levels * 6 * 81 * random.pixels / 64,
    )


def _correlate_around(random):
    features = random.image(128, divide=8), random.image(128, divide=8)
    levels = min(4, min(features[1].shape[1:3]).bit_length())
    yield Case(
        "correlate_around",
        f"128 channels, {levels} levels at 1/8, radius 4",
        functools.partial(ops.correlate_around, levels=levels),
        (*features, random.image(2, scale=MOTION, divide=8)),
        levels * (2 * 128 * 100 + 6 * 81) * random.pixels / 64,
    )


def _adaptive_warp(random):
    arrays = random.image(3), random.flow(), random.image(16)
    yield Case("adaptive_warp", "3 channels", ops.adaptive_warp, arrays, 2 * 48 * random.pixels)


def _adaptive_separable_conv(random):
    image = random.image(3, margin=TAPS - 1)
    arrays = image, random.image(TAPS, scale=0.1), random.image(TAPS, scale=0.1)
    flops = 2 * 3 * (TAPS + 1) * TAPS * random.pixels
    call = ops.adaptive_separable_conv
    yield Case("adaptive_separable_conv", f"3 channels, {TAPS} taps", call, arrays, flops)


def _adaptive_flow_conv(random):
    arrays = random.image(3), random.image(25), random.image(50, scale=MOTION)
    flops = 25 * 3 * 10 * random.pixels
    yield Case("adaptive_flow_conv", "3 channels, 5x5", ops.adaptive_flow_conv, arrays, flops)


def _deformable_conv(random):
    offset, mask = random.image(144, scale=MOTION), random.positive(72)
    kernel = random.generator.standard_normal((3, 3, 64, 64), np.float32)
    yield Case(
        "deformable_conv",
        "64 channels, 8 groups, 3x3",
        functools.partial(ops.deformable_conv, groups=8),
        (random.image(64), offset, mask, kernel),
        9 * 64 * (2 * 64 + 8) * random.pixels,
    )


def _resize_bilinear(random):
    shape = 2 * random.height, 2 * random.width

    def call(x):
        return ops.resize_bilinear(x, shape)

    yield Case(
        "resize_bilinear", "3 channels, x2", call, (random.image(3),), 32 * 3 * random.pixels
    )


def _imresize(random):
    call = functools.partial(ops.imresize, scale=0.25)
    flops = 2 * 16 * 3 * (1 / 4 + 1 / 16) * random.pixels
    yield Case("imresize", "3 channels, 1/4", call, (random.image(3),), flops)


def _laplacian_pyramid(random):
    # 10 per halved value (3/4 of them), 5 per doubled value (3/2), 1 for the difference.
    flops = 16 * 3 * 4 / 3 * random.pixels
    arrays = (random.image(3),)
    yield Case("laplacian_pyramid", "3 channels, 5 bands", ops.laplacian_pyramid, arrays, flops)


def _census_transform(random):
    arrays = (random.positive(3),)
    yield Case("census_transform", "7x7", ops.census_transform, arrays, 49 * 6 * random.pixels)


_OPERATIONS = (
    _backward_warp,
    _forward_splat,
    _flow_projection,
    _depth_flow_projection,
    _cost_volume,
    _correlation_lookup,
    _correlate_around,
    _adaptive_warp,
    _adaptive_separable_conv,
    _adaptive_flow_conv,
    _deformable_conv,
    _resize_bilinear,
    _imresize,
    _laplacian_pyramid,
    _census_transform,
)
