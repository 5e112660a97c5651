import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from tests.ops import golden
from vfi_jax import ops

CASES = golden.portable_cases("imresize_np")


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_imresize_portable_goldens(case):
    image = jnp.asarray(golden.portable_inputs(case)["img"], jnp.float32)
    out = ops.imresize(image, case["attrs"]["scale"])
    output = {**case["outputs"]["out"], "layout": "HWC_"}
    support.assert_samples(out, output, tolerance=1e-5)


@pytest.mark.parametrize("name", support.full_names("ops/imresize_np"))
def test_imresize_full_goldens(name):
    case = support.full_case("ops/imresize_np", name)
    out = ops.imresize(jnp.asarray(case["img"], jnp.float32), float(case["scale"]))
    support.assert_close(out, case["out"], 1e-5)
    if "png" in case:
        rounded = np.clip(np.round(out), 0, 255).astype(np.uint8)
        assert np.mean(rounded != case["png"]) < 1e-3
