"""Lower bounds of run time on accelerators from their data sheets: estimates, not measurements.

Programs are lowered for the platform, so lowering errors are found; they are not compiled.
"""

import dataclasses
from collections.abc import Iterable, Iterator

import jax
import jax.numpy as jnp

from vfi_jax.bench import costs
from vfi_jax.bench.cases import created, inference, shapes
from vfi_jax.devices import peaks

KINDS = {  # device kinds by platform
    "cuda": ("NVIDIA H200", "NVIDIA H100", "NVIDIA A100", "Tesla T4"),
    "tpu": ("TPU v5e", "TPU v6e"),
}
TYPES = {
    "float32": {"precision": "default"},
    "bfloat16": {"precision": "default", "dtype": jnp.bfloat16},
}


@dataclasses.dataclass(frozen=True)
class Estimate:
    """Lower bound for inference of one window by one system on one platform.

    Attributes:
      name: name of the system.
      size: height and width of its output.
      dtype: "float32" (convolutions at precision "default") or "bfloat16".
      platform: "cuda" or "tpu".
      gigaflops: GFLOPs of convolutions and matrix products.
      gigabytes: lower bound of their memory traffic.
      lines: number of lines of StableHLO.
      milliseconds: minimum time by name of the device.
    """

    name: str
    size: tuple[int, int]
    dtype: str
    platform: str
    gigaflops: float
    gigabytes: float
    lines: int
    milliseconds: dict[str, float]


def estimates(names: Iterable[str], *, size: tuple[int, int] = (720, 1280)) -> Iterator[Estimate]:
    """Estimates for every system on both platforms, in float32 and bfloat16.

    Args:
      names: names of the systems.
      size: height and width of the output.

    Raises:
      ValueError: unknown model.
    """
    for name in names:
        for dtype, options in TYPES.items():
            model = created(name, options)
            arguments = shapes(model, size, 1, training=False)
            function = inference(model)
            for platform, kinds in KINDS.items():
                traced = jax.jit(function).trace(*arguments)
                lines = traced.lower(lowering_platforms=(platform,)).as_text().count("\n")
                needs = costs.of(traced.jaxpr.jaxpr, platform)
                devices = [found for kind in kinds if (found := peaks(kind))]
                yield Estimate(
                    name,
                    size,
                    dtype,
                    platform,
                    needs.flops / 1e9,
                    needs.moved / 1e9,
                    lines,
                    {device.name: 1e3 * needs.seconds(device) for device in devices},
                )
