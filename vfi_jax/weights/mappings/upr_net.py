"""UPR-Net's keys in files of srcn-ivl/UPR-Net, equal for all sizes."""

from vfi_jax.weights.rules import Rules, conv, conv_transpose, prelu

STAGES = 3
CONVS = 4  # convolutions per stage
LAYERS = 5  # layers of the motion estimator before its flow


def _stack(key: str, path: str, depth: int, *, first: int = 0) -> Rules:
    """Convolution, PReLU, convolution, ... from index `first` of a Sequential."""
    return tuple(
        rule
        for index in range(depth)
        for rule in (
            *conv(rf"{key}\.{first + 2 * index}", f"{path}_conv{index}/conv"),
            *prelu(rf"{key}\.{first + 2 * index + 1}", f"{path}_conv{index}/prelu"),
        )
    )


def _up(key: str, path: str) -> Rules:
    return (
        *conv_transpose(rf"{key}\.0", f"{path}_up"),
        *prelu(rf"{key}\.1", f"{path}_prelu"),
        *_stack(key, path, 1, first=2),
    )


SYNTHESIS = r"synthesis_network\."
RULES = (
    *(
        rule
        for index in range(CONVS)
        for rule in conv(
            rf"feat_pyramid\.conv_stage([0-{STAGES - 1}])\.{2 * index}",
            rf"pyramid/level\1_conv{index}",
        )
    ),
    *(
        rule
        for index in range(LAYERS)
        for rule in conv(rf"motion_estimator\.conv_layer{index + 1}\.0", f"motion/conv{index}")
    ),
    *conv(rf"motion_estimator\.conv_layer{LAYERS + 1}\.0", "motion/flow"),
    *_stack(rf"{SYNTHESIS}encoder_conv", "synthesis/unet/encoder0", 2),
    *_stack(rf"{SYNTHESIS}encoder_down1", "synthesis/unet/encoder1", 3),
    *_stack(rf"{SYNTHESIS}encoder_down2", "synthesis/unet/encoder2", 3),
    *_up(rf"{SYNTHESIS}decoder_up1", "synthesis/unet/decoder1"),
    *_up(rf"{SYNTHESIS}decoder_up2", "synthesis/unet/decoder0"),
    *_stack(rf"{SYNTHESIS}decoder_conv", "synthesis/unet/last", 2),
    *conv(rf"{SYNTHESIS}pred", "synthesis/unet/head"),
)
