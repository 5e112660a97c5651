import sys
import types

import jax
import jax.numpy as jnp
import pytest

from vfi_jax import ops
from vfi_jax.ops import _dispatch


def double(x, *, plus=0):
    return 2 * x + plus


@pytest.fixture
def kernel(monkeypatch):
    """A kernel for the op "double" that tells itself apart: 200 interpreted, 100 compiled."""
    module = types.ModuleType(f"{_dispatch.KERNELS}.double")
    module.PLATFORMS, module.DEFAULT_ON = ("cuda",), ()

    def call(x, *, interpret, plus=0):
        if x.ndim != 1:
            raise NotImplementedError(f"double takes vectors, got {x.shape}")
        return 2 * x + plus + (200 if interpret else 100)

    module.double = call
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(_dispatch, "_kernels", lambda: frozenset({"double"}))
    return module


def run(x, **options):
    return jax.jit(lambda x: _dispatch.dispatch("double", double, x, **options))(x)


def test_the_definition_runs_by_default_and_in_xla(kernel):
    assert run(jnp.ones(1)) == 2
    kernel.PLATFORMS = kernel.DEFAULT_ON = ("cpu",)
    assert run(jnp.ones(1), plus=1) == 103
    with ops.backend("xla"):
        assert run(jnp.ones(1)) == 2


def test_pallas_interprets_on_a_cpu_and_lowers_for_its_platforms(kernel):
    with ops.backend("pallas"):
        assert run(jnp.ones(1), plus=1) == 203
        traced = jax.jit(lambda x: _dispatch.dispatch("double", double, x)).trace(jnp.ones(1))
    for platform, constant in (("cuda", "1.000000e+02"), ("cpu", "2.000000e+02")):
        assert constant in traced.lower(lowering_platforms=(platform,)).as_text()
    text = traced.lower(lowering_platforms=("tpu",)).as_text()
    assert "1.000000e+02" not in text
    assert "2.000000e+02" not in text


def test_a_kernel_that_declines_is_an_error_only_if_requested(kernel):
    kernel.PLATFORMS = kernel.DEFAULT_ON = ("cpu",)
    assert run(jnp.ones((1, 1))) == 2
    with ops.backend("pallas"), pytest.raises(NotImplementedError, match="takes vectors"):
        run(jnp.ones((1, 1)))


def test_the_backend_is_part_of_the_cache_key(kernel):
    function = jax.jit(lambda x: _dispatch.dispatch("double", double, x))
    assert function(jnp.ones(1)) == 2
    with ops.backend("pallas"):
        assert function(jnp.ones(1)) == 202
    assert function(jnp.ones(1)) == 2


def test_an_op_without_a_kernel_is_its_definition_everywhere():
    flow = jnp.zeros((2, 3, 2))
    with ops.backend("pallas"):
        assert ops.backward_warp(jnp.ones((2, 3, 1)), flow).all()


def test_an_unknown_backend_is_named():
    with pytest.raises(ValueError, match="unknown backend 'palas'; did you mean pallas"):
        ops.backend("palas")
