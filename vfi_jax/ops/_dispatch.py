"""Choice of an op's implementation: the XLA function that defines it, or a Pallas kernel.

An op calls `dispatch(name, reference, *arrays, **options)`. A kernel for it is the module
`vfi_jax/ops/kernels/<name>.py`, found by its name, which has

  PLATFORMS: tuple of the platforms it lowers for, such as ("cuda",) (names of
    `jax.lax.platform_dependent`).
  DEFAULT_ON: those of PLATFORMS where it runs by default, because it passed the suite and was
    measured to be faster there; `()` until then.
  <name>(*arrays, interpret, **options): takes what `reference` takes (options by keyword), returns
    the same shapes and types, and brings its own gradient. `interpret=True` selects the Pallas
    interpreter, which runs anywhere. Raises NotImplementedError, with the reason, for shapes, types
    or options that it declines.

The platform is chosen when the computation is lowered, not when it is traced.
"""

import functools
import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import jax
from jax import lax

from vfi_jax import lookup, meshes
from vfi_jax.arrays import Array, varying_alike

KERNELS = "vfi_jax.ops.kernels"
BACKENDS = ("xla", "pallas")

# Part of jit's cache key: a function jitted under one backend is traced again under another.
_BACKEND = jax.make_user_context(default_value=None)


def backend(name: str) -> AbstractContextManager:
    """Choose the implementation of every op traced inside the context.

    Outside any such context, an op runs its XLA definition, or its kernel on the platforms where
    the kernel was measured to be faster.

    Args:
      name: "xla": the definition on every platform. "pallas": the kernel on each platform it lowers
        for, and interpreted (slow, for tests) on a CPU. Ops without a kernel for the platform run
        their XLA definition.

    Returns:
      A context manager.

    Raises:
      ValueError: unknown name.
      NotImplementedError: raised by an op inside "pallas" if its kernel does not support the
        arguments. Outside "pallas" such a call runs the XLA definition.

    Source: the platform's choice is `jax.lax.platform_dependent`.
    """
    if name not in BACKENDS:
        raise ValueError(lookup.unknown("backend", name, BACKENDS))
    return _BACKEND(name)


def dispatch(name: str, reference: Callable, *arrays: Array, **options: Any) -> Any:
    """`reference(*arrays, **options)`, or the kernel of that name in its place."""
    return meshes.automatic(functools.partial(_chosen, name, reference, **options), *arrays)


def _chosen(name, reference, *arrays, **options):
    arrays = varying_alike(*arrays)
    chosen = _BACKEND.value
    if chosen == "xla" or name not in _kernels():
        return reference(*arrays, **options)
    module = importlib.import_module(f"{KERNELS}.{name}")
    kernel = functools.partial(getattr(module, name), interpret=False, **options)
    forms = dict.fromkeys(module.PLATFORMS if chosen else module.DEFAULT_ON, kernel)
    if chosen:
        interpreted = functools.partial(getattr(module, name), interpret=True, **options)
        forms.setdefault("cpu", interpreted)
    elif not forms or _declines(kernel, arrays):
        return reference(*arrays, **options)
    default = functools.partial(reference, **options)
    return lax.platform_dependent(*arrays, **forms, default=default)


@functools.cache
def _kernels() -> frozenset[str]:
    return frozenset(lookup.modules(KERNELS))


def _declines(kernel, arrays) -> bool:
    try:
        jax.eval_shape(kernel, *arrays)
    except NotImplementedError:
        return True
    return False
