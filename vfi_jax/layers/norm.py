"""Normalisation layers with PyTorch's statistics, and standardisation of frames."""

import flax.linen as nn
import jax.numpy as jnp
from jax import lax

from vfi_jax.arrays import Array, Image

FLAT = 1e-7  # added to the standard deviation, for constant frames


class BatchNorm(nn.Module):
    """Normalises over batch, height and width; float32 throughout.

    Training normalises by the batch's biased variance and updates the running variance with the
    UNBIASED one, weighted by `momentum`, as PyTorch does (Flax uses the biased one and the inverse
    momentum). Under jit the statistics are those of the global batch; under pmap or shard_map set
    `axis_name`.

    Attributes:
      momentum: weight of the new batch in the running statistics (PyTorch's convention).
      epsilon: added to the variance.
      affine: learn scale and bias.
      axis_name: mapped axis whose devices share statistics.

    Parameters: scale `[C]`, bias `[C]` where affine; batch_stats: mean `[C]`, var `[C]`.

    Source: torch.nn.BatchNorm2d; Ioffe and Szegedy 2015 (arXiv:1502.03167).
    """

    momentum: float = 0.1
    epsilon: float = 1e-5
    affine: bool = True
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x: Image, *, train: bool) -> Image:
        dtype = x.dtype
        x = x.astype(jnp.float32)
        shape = (x.shape[-1],)
        running_mean = self.variable("batch_stats", "mean", jnp.zeros, shape)
        running_var = self.variable("batch_stats", "var", jnp.ones, shape)
        if train:
            mean, var, count = self._batch_statistics(x)
            if not self.is_initializing():
                unbiased = var * (count / max(count - 1, 1))
                running_mean.value += self.momentum * (mean - running_mean.value)
                running_var.value += self.momentum * (unbiased - running_var.value)
        else:
            mean, var = running_mean.value, running_var.value
        out = (x - mean) * lax.rsqrt(var + self.epsilon)
        if self.affine:
            out *= self.param("scale", nn.initializers.ones, shape)
            out += self.param("bias", nn.initializers.zeros, shape)
        return out.astype(dtype)

    def _batch_statistics(self, x):
        axes = tuple(range(x.ndim - 1))
        count = x.size // x.shape[-1]
        mean = x.mean(axes)
        if self.axis_name is not None:
            count *= lax.axis_size(self.axis_name)
            mean = lax.pmean(mean, self.axis_name)
        var = jnp.square(x - mean).mean(axes)
        if self.axis_name is not None:
            var = lax.pmean(var, self.axis_name)
        return mean, var, count


def instance_norm(x: Image, *, epsilon: float = 1e-5) -> Image:
    """Normalises each channel of each image `[B, H, W, C]` to mean 0 and biased variance 1, in
    float32.

    Source: Ulyanov et al. 2016 (arXiv:1607.08022), as torch.nn.InstanceNorm2d without parameters.
    """
    wide = x.astype(jnp.float32)
    moved = wide - wide.mean(axis=(-3, -2), keepdims=True)
    variance = jnp.square(moved).mean(axis=(-3, -2), keepdims=True)
    return (moved * lax.rsqrt(variance + epsilon)).astype(x.dtype)


def standardised(frames: Image) -> tuple[Image, Array, Array]:
    """Normalises each clip `[B, N, H, W, C]` to mean 0 and variance 1 over frames and colours.

    Returns:
      The frames, and their original mean and standard deviation `[B, 1, 1, 1, 1]`, which receive no
      gradient, as in the released code (sniklaus/softmax-splatting, revisiting-sepconv). Finite for
      constant frames.
    """
    axes = (1, 2, 3, 4)
    mean = frames.mean(axis=axes, keepdims=True)
    deviation = jnp.sqrt(jnp.square(frames - mean).mean(axis=axes, keepdims=True))
    mean, deviation = lax.stop_gradient((mean, deviation))
    return (frames - mean) / (deviation + FLAT), mean, deviation
