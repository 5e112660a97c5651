"""What a program costs, counted in its jaxpr: the same on every machine, and without compiling.

XLA's own analysis counts the body of a loop once and, on a GPU, does not see into the calls of
cuDNN.
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
    """A convolution or matrix product, with all its runs.

    Attributes:
      flops: additions and multiplications.
      moved: bytes that it reads and writes at least: operands and results once a run.
      dtype: of its operands.
      precision: "highest" or "default", as the program asks.
    """

    flops: float
    moved: float
    dtype: str
    precision: str


@dataclasses.dataclass(frozen=True)
class Costs:
    """What a program needs at least.

    Elementwise operations, warps and other gathers are taken as fused into the products beside
    them or served by caches. So the sums are lower bounds, loose ones for systems that warp much
    and multiply little.

    Attributes:
      products: in the order of the program.
      ends: bytes of its arguments and results.
    """

    products: tuple[Product, ...]
    ends: float

    @property
    def flops(self) -> float:
        """Additions and multiplications of all products."""
        return sum(product.flops for product in self.products)

    @property
    def moved(self) -> float:
        """Bytes that the products read and write; at least the arguments and results."""
        return max(self.ends, sum(product.moved for product in self.products))

    def seconds(self, peaks: Peaks) -> float:
        """Least time on a device: every product at its roofline, one after the other."""
        products = (
            peaks.seconds(one.flops, one.moved, one.dtype, one.precision) for one in self.products
        )
        return max(sum(products), self.ends / peaks.bandwidth)


def count(function: Callable[..., Any], *arrays: Any, platform: str) -> Costs:
    """The costs of `function` of these arrays, which may be `jax.ShapeDtypeStruct`.

    Args:
      function: to be traced, not run.
      *arrays: pytrees of arguments.
      platform: whose form counts, where an operation has several.
    """
    return of(jax.make_jaxpr(function)(*arrays).jaxpr, platform)


def of(jaxpr: core.Jaxpr, platform: str) -> Costs:
    """The costs of a traced program."""
    ends = sum(_bytes(variable.aval) for variable in (*jaxpr.invars, *jaxpr.outvars))
    return Costs(tuple(_products(jaxpr, 1, platform)), ends)


def _products(jaxpr: core.Jaxpr, runs: int, platform: str) -> Iterator[Product]:
    chosen: dict[Any, int] = {}  # branch by the variable that holds its index
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
    """The branch that the platform takes; of one chosen by values, that with the most FLOPs."""
    branches, index = equation.params["branches"], equation.invars[0]
    if not isinstance(index, core.Literal) and index in chosen:
        branches = branches[chosen[index] : chosen[index] + 1]
    found = [tuple(_products(branch.jaxpr, runs, platform)) for branch in branches]
    return max(found, key=lambda products: sum(product.flops for product in products))


def _branch(platforms, platform):
    """Index of the first branch that is of the platform, or of any."""
    return next(i for i, names in enumerate(platforms) if names is None or platform in names)


def _jaxprs(value):
    """Programs among the parameters of an operation: bodies of loops, functions that it calls."""
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
    """Two for every element of the result and every element of its sum."""
    first, second = (variable.aval for variable in equation.invars)
    size = 2.0 * equation.outvars[0].aval.size
    if equation.primitive.name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        return size * math.prod(first.shape[axis] for axis in contracted)
    features = second.shape[equation.params["dimension_numbers"].rhs_spec[0]]
    # Most places of a dilated input hold zeros.
    return size * second.size / features / math.prod(equation.params["lhs_dilation"])


def _bytes(aval):
    return aval.size * np.dtype(aval.dtype).itemsize
