"""Deep Voxel Flow's keys in files of lxx1991/pytorch-voxel-flow."""

from vfi_jax.weights.rules import batch_norm, conv

RULES = (
    *conv(r"(conv[123]|bottleneck|deconv[123])", r"scale0/\1/conv"),
    *batch_norm(r"(conv[123]|bottleneck|deconv[123])_bn", r"scale0/\1/norm"),
    *conv("conv4", "scale0/conv4"),
)
