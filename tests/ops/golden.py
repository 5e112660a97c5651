"""The golden cases of single operations: their inputs, and checks of outputs and gradients."""

import jax
import jax.numpy as jnp
import numpy as np

from tests import support

GRADIENT = 5e-5  # of max(1, largest): gradients are sums of many float32 products


def portable_cases(op):
    """The cases of one op in tests/golden/ops.json."""
    groups = support.portable("ops")["groups"]
    return next(group["cases"] for group in groups if group["op"] == op)


def portable_inputs(case):
    """The inputs of a portable case by name, upstream layout, float32 where upstream casts."""
    names = {"np": np, "rng": eval(case["rng"], {"np": np})}
    arrays = {name: np.asarray(eval(text, names)) for name, text in case["inputs"]}
    return {k: v if v.dtype == np.uint8 else v.astype(np.float32) for k, v in arrays.items()}


def check_portable(case, function, names):
    """`function` of the named inputs (channels last) against the case's output and gradients."""
    arrays = portable_inputs(case)
    out, gradients = run(function, arrays, names)
    support.assert_samples(out, case["outputs"]["out"], tolerance=1e-5)
    for name, gradient in gradients.items():
        output = case["outputs"].get(f"grad_{name}")
        if output is not None:
            layout = "NCHW" if gradient.ndim > 1 else "C"
            support.assert_samples(gradient, {**output, "layout": layout}, tolerance=GRADIENT)


def check_full(group, name, function, names):
    """The same for a case of the full goldens, all entries."""
    arrays = support.full_case(f"ops/{group}", name)
    out, gradients = run(function, arrays, names)
    support.assert_close(out, last(arrays["out"]))
    for name, gradient in gradients.items():
        desired = arrays.get(f"truegrad_{name}", arrays.get(f"grad_{name}"))
        support.assert_close(gradient, last(desired), GRADIENT)


def run(function, arrays, names):
    """Output, and gradients by name where the arrays have a cotangent: one compilation."""
    inputs = [last(arrays[name]) for name in names]
    if "cotangent" not in arrays:
        return jax.jit(function)(*inputs), {}

    @jax.jit
    def both(inputs, cotangent):
        out, pullback = jax.vjp(function, *inputs)
        return out, pullback(cotangent)

    out, gradients = both(inputs, last(arrays["cotangent"]))
    return out, dict(zip(names, gradients, strict=True))


def last(array):
    """An upstream NCHW array as NHWC; vectors stay."""
    return jnp.asarray(support.channels_last(array) if array.ndim > 1 else array)


def attributes(group, name):
    """The manifest's entry of a full case."""
    cases = support.full(f"ops/{group}")["cases"]
    return next(case for case in cases if case["file"] == f"{name}.npz")
