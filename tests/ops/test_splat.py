import jax
import pytest

from tests import support
from tests.ops import golden
from vfi_jax import ops

CASES = golden.portable_cases("softsplat")
MODES = {"sum": "sum", "avg": "average", "linear": "linear", "soft": "softmax"}
NORMALISES = {"addeps": "add_eps", "zeroeps": "zero_eps", "clipeps": "clip_eps"}


def splat(upstream, *, deterministic=False):
    """`forward_splat` for a mode by its upstream name, such as "soft-zeroeps"."""
    mode, _, normalise = upstream.partition("-")
    options = {"mode": MODES[mode], "normalise": NORMALISES[normalise or "addeps"]}

    def call(image, flow, metric=None):
        return ops.forward_splat(image, flow, metric=metric, deterministic=deterministic, **options)

    return call


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_portable_goldens(case):
    names = [name for name, _ in case["inputs"] if name != "cotangent"]
    golden.check_portable(case, splat(case["attrs"]["mode"]), names)


@pytest.mark.parametrize("name", support.full_names("ops/softsplat"))
def test_full_goldens(name):
    arrays = support.full_case("ops/softsplat", name)
    modes = sorted({key.split("/")[0] for key in arrays if "/out" in key})

    @jax.jit
    def every_mode(arrays, cotangent):
        results = {}
        for mode in modes:
            inputs = {"input": arrays["input"], "flow": arrays["flow"]}
            if mode.split("-")[0] in ("linear", "soft"):
                inputs["metric"] = arrays[f"metric_{mode.split('-')[0]}"]
            out, pullback = jax.vjp(splat(mode), *inputs.values())
            gradients = zip(inputs, pullback(cotangent), strict=True)
            results[mode] = {"out": out, **{f"grad_{k}": g for k, g in gradients}}
        return results

    inputs = {k: golden.last(v) for k, v in arrays.items() if "/" not in k}
    results = every_mode(inputs, inputs["cotangent"])
    for mode, entries in results.items():
        for key, value in entries.items():
            support.assert_close(value, golden.last(arrays[f"{mode}/{key}"]))
