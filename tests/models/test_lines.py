"""Program size: compile time grows with the number of lines of StableHLO."""

import jax
import pytest

from vfi_jax import lookup, registry
from vfi_jax.bench.cases import inference, shapes

# At an output of 448x256, about a tenth above what they are. Blocks that are alike belong under a
# scan, work of one shape into one operation. docs/benchmarks.md has the seconds.
MOST = {
    "amt": 6000,
    "blend": 50,
    "dain": 8800,
    "ema_vfi": 4400,
    "film": 4800,
    "gmfss": 9600,
    "ifrnet": 2000,
    "memc_net": 5300,
    "mind": 600,
    "practical_rife": 3400,
    "resepconv": 2300,
    "rife": 3600,
    "sepconv": 2400,
    "shared_pyramid": 10000,
    "softsplat": 7400,
    "tween": 2800,
    "upr_net": 7000,
    "voxel_flow": 1000,
    "zooming_slow_mo": 7200,
}


@pytest.mark.slow
@pytest.mark.parametrize("system", lookup.modules(registry.MODELS))
def test_the_number_of_stablehlo_lines_is_bounded(system):
    model = registry.create(system)
    arguments = shapes(model, (256, 448), 1, training=False)
    lines = jax.jit(inference(model)).lower(*arguments).as_text().count("\n")
    assert lines <= MOST[system]
