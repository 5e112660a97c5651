"""Program size: compile time grows with the number of lines of StableHLO."""

import jax
import pytest

from vfi_jax import lookup, registry
from vfi_jax.bench.cases import inference, shapes

# At an output of 448x256, about a tenth above what they are. Blocks that are alike belong under a
# scan, work of one shape into one operation. docs/benchmarks.md has the seconds.
MOST = {
    "amt": 5200,
    "blend": 50,
    "dain": 8300,
    "ema_vfi": 3950,
    "film": 4400,
    "gmfss": 8300,
    "ifrnet": 1800,
    "memc_net": 4400,
    "mind": 600,
    "practical_rife": 2200,
    "resepconv": 1700,
    "rife": 2850,
    "sepconv": 1800,
    "shared_pyramid": 7200,
    "softsplat": 5600,
    "tween": 2150,
    "upr_net": 5500,
    "voxel_flow": 800,
    "zooming_slow_mo": 5200,
}


@pytest.mark.slow
@pytest.mark.parametrize("system", lookup.modules(registry.MODELS))
def test_the_number_of_stablehlo_lines_is_bounded(system):
    model = registry.create(system)
    arguments = shapes(model, (256, 448), 1, training=False)
    lines = jax.jit(inference(model)).lower(*arguments).as_text().count("\n")
    assert lines <= MOST[system]
