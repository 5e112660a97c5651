"""Convolutions whose gradients are also fast inside loops, NHWC and HWIO.

XLA on a CPU is fast for convolutions in the layouts NHWC and HWIO. It transposes other layouts, but
not inside loop bodies (`lax.scan`), where the gradients derived by JAX take 15 to 60 times as long.
Here the CPU gradients are written in the fast layouts.
"""

import functools

import jax
from jax import lax

from vfi_jax.arrays import Array, Image, varying_alike

DIMENSIONS = ("NHWC", "HWIO", "NHWC")


def convolve(x: Image, kernel: Array, *, stride: int, padding: int, dilation: int) -> Image:
    """PyTorch's convolution: correlation with `kernel`, with equal zero padding on both sides.

    Args:
      x: `[B, H, W, in]`.
      kernel: `[height, width, in, out]`, the type of `x`.
      stride: stride along both axes.
      padding: pixels on each side.
      dilation: dilation of the kernel.

    Returns:
      `[B, H', W', out]`.
    """
    return _convolve(*varying_alike(x, kernel), stride, padding, dilation, _precision())


def convolve_transposed(x: Image, kernel: Array, *, stride: int, padding: int) -> Image:
    """The transpose of a strided convolution: `kernel` correlated with a dilated `x`.

    Args:
      x: `[B, H, W, in]`.
      kernel: `[size, size, in, out]`, the type of `x`.
      stride: distance in output pixels between neighbouring pixels of `x`.
      padding: pixels cropped on each side.

    Returns:
      `[B, stride (H - 1) + size - 2 padding, ..., out]`.
    """
    return _convolve_transposed(*varying_alike(x, kernel), stride, padding, _precision())


def _precision():
    # The gradient is traced later, outside the precision context of the forward pass.
    return jax.config.jax_default_matmul_precision


def _plain(x, kernel, stride, padding, dilation, precision):
    return lax.conv_general_dilated(
        x,
        kernel,
        window_strides=(stride, stride),
        padding=((padding, padding), (padding, padding)),
        rhs_dilation=(dilation, dilation),
        dimension_numbers=DIMENSIONS,
        precision=precision,
    )


_convolve = jax.custom_vjp(_plain, nondiff_argnums=(2, 3, 4, 5))


def _forward(x, kernel, *static):
    return _plain(x, kernel, *static), (x, kernel)


def _backward(stride, padding, dilation, precision, saved, gradient):
    static = (stride, padding, dilation, precision)

    def derived(x, kernel, gradient):
        return jax.vjp(lambda *arrays: _plain(*arrays, *static), x, kernel)[1](gradient)

    ordered = functools.partial(_ordered, static=static)
    return lax.platform_dependent(*saved, gradient, cpu=ordered, default=derived)


_convolve.defvjp(_forward, _backward)


def _ordered(x, kernel, gradient, *, static):
    """Both gradients of `_plain`, with every convolution in the layouts NHWC and HWIO."""
    stride, padding, dilation, precision = static
    before, after, beyond = [], [], []
    for axis, size in enumerate(kernel.shape[:2]):
        reach = dilation * (size - 1)
        span = stride * (gradient.shape[1 + axis] - 1)
        before.append(reach - padding)
        after.append(x.shape[1 + axis] - 1 - span + padding)
        beyond.append(reach + span + 1 - x.shape[1 + axis] - padding)
    of_x = lax.conv_general_dilated(
        gradient,
        kernel[::-1, ::-1].swapaxes(-1, -2),
        window_strides=(1, 1),
        padding=tuple(zip(before, after, strict=True)),
        lhs_dilation=(stride, stride),
        rhs_dilation=(dilation, dilation),
        dimension_numbers=DIMENSIONS,
        precision=precision,
    )
    of_kernel = lax.conv_general_dilated(
        x.transpose(3, 1, 2, 0),
        gradient.transpose(1, 2, 0, 3),
        window_strides=(dilation, dilation),
        padding=tuple((padding, more) for more in beyond),
        rhs_dilation=(stride, stride),
        dimension_numbers=DIMENSIONS,
        precision=precision,
    )
    return of_x, of_kernel.transpose(1, 2, 0, 3)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def _convolve_transposed(x, kernel, stride, padding, precision):
    pad = kernel.shape[0] - 1 - padding
    return lax.conv_general_dilated(
        x,
        kernel,
        window_strides=(1, 1),
        padding=((pad, pad), (pad, pad)),
        lhs_dilation=(stride, stride),
        dimension_numbers=DIMENSIONS,
        precision=precision,
    )


def _transposed_forward(x, kernel, *static):
    return _convolve_transposed(x, kernel, *static), (x, kernel)


def _transposed_backward(stride, padding, precision, saved, gradient):
    # Computed through the transposed operation: XLA's kernel gradient of a convolution with a
    # dilated input takes ten times as long.
    x, kernel = saved

    def transposed(kernel):
        kernel = kernel[::-1, ::-1].swapaxes(-1, -2)
        return _convolve(gradient, kernel, stride, padding, 1, precision)

    of_x, of_kernel = jax.vjp(transposed, kernel)
    return of_x, of_kernel(x)[0]


_convolve_transposed.defvjp(_transposed_forward, _transposed_backward)
