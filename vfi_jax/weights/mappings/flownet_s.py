"""FlowNetS's keys as in MEMC-Net (names of ClementPinard/FlowNetPytorch)."""

from vfi_jax.weights.rules import conv, conv_transpose

RULES = (
    *conv(r"(conv\d(?:_1)?)\.0", r"\1"),
    *conv_transpose(r"deconv([2-5])\.0", r"up\1"),
    *conv(r"predict_flow([2-6])", r"flow\1"),
    *conv_transpose(r"upsampled_flow[3-6]_to_([2-5])", r"up_flow\1"),
)
