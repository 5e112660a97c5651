import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.sharding import Mesh, PartitionSpec

from vfi_jax.layers import _convolve
from vfi_jax.layers.conv import PReLU, leaky_relu

CASES = [  # height, width, kernel, stride, padding, dilation
    (7, 9, 3, 1, 1, 1),
    (8, 9, 3, 2, 1, 1),
    (9, 8, 5, 2, 0, 1),
    (8, 8, 4, 2, 1, 1),
    (9, 11, 3, 1, 2, 2),
    (10, 9, 3, 2, 4, 2),
    (6, 7, 1, 1, 0, 1),
]


def arrays(height, width, kernel):
    keys = jax.random.split(jax.random.key(0))
    x = jax.random.normal(keys[0], (2, height, width, 3))
    return x, jax.random.normal(keys[1], (kernel, kernel, 3, 4))


@pytest.mark.parametrize("case", CASES)
def test_gradients_of_a_convolution_equal_those_of_jax(case):
    height, width, size, stride, padding, dilation = case
    x, kernel = arrays(height, width, size)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    out, ours = jax.vjp(lambda *a: _convolve.convolve(*a, **options), x, kernel)
    static = (stride, padding, dilation, "highest")
    _, derived = jax.vjp(lambda *a: _convolve._plain(*a, *static), x, kernel)
    cotangent = jax.random.normal(jax.random.key(1), out.shape)
    for actual, desired in zip(ours(cotangent), derived(cotangent), strict=True):
        np.testing.assert_allclose(actual, desired, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("size", "stride", "padding"), [(4, 2, 1), (2, 2, 0), (5, 3, 1)])
def test_the_transpose_is_the_adjoint_of_the_convolution(size, stride, padding):
    x, kernel = arrays(5, 6, size)
    out, ours = jax.vjp(
        lambda *a: _convolve.convolve_transposed(*a, stride=stride, padding=padding), x, kernel
    )
    turned = kernel[::-1, ::-1].swapaxes(-1, -2)
    y = jax.random.normal(jax.random.key(1), out.shape)
    back = _convolve.convolve(y, turned, stride=stride, padding=padding, dilation=1)
    # <A^T x, y> = <x, A y>, and both gradients of the left side are read off the right one.
    product = jnp.vdot(out, y)
    np.testing.assert_allclose(product, jnp.vdot(x, back), rtol=1e-4)
    of_x, of_kernel = ours(y)
    np.testing.assert_allclose(of_x, back, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(jnp.vdot(of_kernel, kernel), product, rtol=1e-4)


def test_gradients_in_a_loop_use_fast_layouts():
    x, kernel = arrays(6, 6, 3)
    kernel = kernel[..., :3]

    def loss(kernel):
        def body(carry, _):
            return _convolve.convolve(carry, kernel, stride=1, padding=1, dilation=1), None

        return lax.scan(body, x, length=3)[0].sum()

    text = jax.jit(jax.grad(loss)).lower(kernel).compile().as_text()
    assert "dim_labels=b01f_01io->b01f" in text
    assert text.count("dim_labels=") == text.count("dim_labels=b01f_01io->b01f")


def test_gradients_to_shared_kernels_are_summed_over_devices():
    x, kernel = arrays(6, 6, 4)
    mesh = Mesh(np.array(jax.devices()[:2]), "data")

    def gradient(x, kernel):
        def loss(kernel):
            down = _convolve.convolve(x, kernel, stride=2, padding=1, dilation=1)
            up = _convolve.convolve_transposed(x, kernel, stride=2, padding=1)
            return jnp.sum(jnp.sin(down)) + jnp.sum(jnp.sin(up))

        return jax.grad(loss)(kernel)

    specs = (PartitionSpec("data"), PartitionSpec())
    apart = jax.shard_map(gradient, mesh=mesh, in_specs=specs, out_specs=PartitionSpec())
    np.testing.assert_allclose(apart(x, kernel), gradient(x, kernel), rtol=1e-4, atol=1e-4)


def test_leaky_relus_have_the_gradient_of_pytorch_at_zero():
    np.testing.assert_allclose(jax.grad(leaky_relu)(0.0), 0.1)
    of_prelu = jax.grad(lambda x: PReLU().apply({"params": {"slope": jnp.full(1, 0.25)}}, x).sum())
    np.testing.assert_allclose(of_prelu(jnp.zeros(1)), 0.25)
