"""Cost of a program, counted in its jaxpr: independent of the machine, without compiling.

XLA's cost analysis counts the body of a loop only once and, on a GPU, cannot see inside cuDNN
calls.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend import core

from vfi_jax.devices import Peaks

PRODUCTS = ("conv_general_dilated", "dot_general")


@dataclasses.dataclass(frozen=True)
class Product:
    """A convolution or matrix product, with all its executions.

    Attributes:
      flops: number of additions and multiplications.
      moved: lower bound of bytes read and written: operands and results once per execution.
      dtype: type of its operands.
      precision: "highest" or "default", as set in the program.
    """

    flops: float
    moved: float
    dtype: str
    precision: str


@dataclasses.dataclass(frozen=True)
class Costs:
    """Lower bounds of a program's cost.

    Elementwise operations, warps and other gathers are assumed to be fused into neighbouring
    products or served by caches. The sums are therefore lower bounds. They are loose for systems
    that spend most of their time on warping.

    Attributes:
      products: convolutions and matrix products, in program order.
      ends: bytes of the arguments and results.
    """

    products: tuple[Product, ...]
    ends: float

    @property
    def flops(self) -> float:
        """Number of additions and multiplications of all products."""
        return sum(product.flops for product in self.products)

    @property
    def moved(self) -> float:
        """Bytes read and written by the products; at least the arguments and results."""
        return max(self.ends, sum(product.moved for product in self.products))

    def seconds(self, peaks: Peaks) -> float:
        """Minimum time on a device: all products in sequence, each at its roofline."""
        products = (
            peaks.seconds(one.flops, one.moved, one.dtype, one.precision) for one in self.products
        )
        return max(sum(products), self.ends / peaks.bandwidth)


def count(function: Callable[..., Any], *arrays: Any, platform: str) -> Costs:
    """The cost of `function` for the given arrays, which may be `jax.ShapeDtypeStruct`.

    Args:
      function: traced, not run.
      *arrays: pytrees of arguments.
      platform: platform for operations with an implementation per platform.
    """
    return of(jax.make_jaxpr(function)(*arrays).jaxpr, platform)


def of(jaxpr: core.Jaxpr, platform: str) -> Costs:
    """The cost of a traced program."""
    ends = sum(_bytes(variable.aval) for variable in (*jaxpr.invars, *jaxpr.outvars))
    return Costs(tuple(_products(jaxpr, 1, platform)), ends)


def _products(jaxpr: core.Jaxpr, runs: int, platform: str) -> Iterator[Product]:
    chosen: dict[Any, int] = {}  # branch by the variable with its index
    for equation in jaxpr.eqns:
        name, parameters = equation.primitive.name, equation.params
        if name == "platform_index":
            chosen[equation.outvars[0]] = _branch(parameters["platforms"], platform)
        elif name == "cond":
            yield from _heaviest(equation, chosen, runs, platform)
        elif name in PRODUCTS:
            yield _product(equation, runs)
        else:
            inner = runs * parameters["length"] if name == "scan" else runs
            for body in jax.tree.leaves([_jaxprs(value) for value in parameters.values()]):
                yield from _products(body, inner, platform)


def _heaviest(equation, chosen, runs, platform):
    """The platform's branch; if values decide, the branch with the most FLOPs."""
    branches, index = equation.params["branches"], equation.invars[0]
    if not isinstance(index, core.Literal) and index in chosen:
        branches = branches[chosen[index] : chosen[index] + 1]
    found = [tuple(_products(branch.jaxpr, runs, platform)) for branch in branches]
    return max(found, key=lambda products: sum(product.flops for product in products))


def _branch(platforms, platform):
    """Index of the first branch for the platform or for any platform."""
    return next(i for i, names in enumerate(platforms) if names is None or platform in names)


def _jaxprs(value):
    """Jaxprs among the parameters of an operation, such as loop bodies and called functions."""
    if isinstance(value, core.ClosedJaxpr):
        return [value.jaxpr]
    if isinstance(value, core.Jaxpr):
        return [value]
    return [_jaxprs(one) for one in value] if isinstance(value, tuple) else []


def _product(equation, runs):
    moved = sum(_bytes(variable.aval) for variable in (*equation.invars, *equation.outvars))
    exact = lax.Precision.HIGHEST in (equation.params["precision"] or ())
    return Product(
        runs * _flops(equation),
        runs * moved,
        "bfloat16" if equation.invars[0].aval.dtype == jnp.bfloat16 else "float32",
        "highest" if exact else "default",
    )


def _flops(equation):
    """Two per element of the result and per summand."""
    first, second = (variable.aval for variable in equation.invars)
    size = 2.0 * equation.outvars[0].aval.size
    if equation.primitive.name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        return size * math.prod(first.shape[axis] for axis in contracted)
    features = second.shape[equation.params["dimension_numbers"].rhs_spec[0]]
    # Most elements of a dilated input are zeros.
    return size * second.size / features / math.prod(equation.params["lhs_dilation"])


def _bytes(aval):
    return aval.size * np.dtype(aval.dtype).itemsize
