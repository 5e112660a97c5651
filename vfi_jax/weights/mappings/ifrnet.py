"""IFRNet's keys in files of ltkong218/IFRNet, equal for all sizes."""

from vfi_jax.weights.rules import Rules, conv, conv_prelu, conv_transpose, prelu

LEVELS = 4
INSIDE = {"conv1": "conv0", "conv2": "side0", "conv3": "conv1", "conv4": "side1"}


def encoder() -> Rules:
    """The feature pyramid."""
    return tuple(
        rule
        for level in range(LEVELS)
        for rule in conv_prelu(
            rf"encoder\.pyramid{level + 1}\.([01])", rf"encoder/level{level}_conv\1"
        )
    )


def decoder(key: str, path: str) -> Rules:
    """One decoder.

    Args:
      key: regular expression of its name in the file.
      path: path of its parameters.
    """
    block = rf"{key}\.convblock\.1"
    return (
        *conv_prelu(rf"{key}\.convblock\.0", f"{path}/stem"),
        *(
            rule
            for theirs, ours in INSIDE.items()
            for rule in conv_prelu(rf"{block}\.{theirs}", f"{path}/{ours}")
        ),
        *conv(rf"{block}\.conv5", f"{path}/conv2"),
        *prelu(rf"{block}\.prelu", f"{path}/prelu"),
        *conv_transpose(rf"{key}\.convblock\.2", f"{path}/head"),
    )


RULES = (
    *encoder(),
    # They count from the finest level.
    *(
        rule
        for level in range(LEVELS)
        for rule in decoder(rf"decoder{LEVELS - level}", f"decoders_{level}")
    ),
)
