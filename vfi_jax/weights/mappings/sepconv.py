"""SepConv, sniklaus/sepconv-slomo: the published files' keys (2017) and those of today's code."""

from vfi_jax.weights.rules import Rules, conv

# The files were saved as moduleConv1.0.weight; today's code renames that to netConv1.0.weight.
PREFIX = "(?:module|net)"


def _numbered(pattern: str, path: str, indices: tuple[int, ...]) -> Rules:
    """The convolutions at `indices` of a Sequential as conv0, conv1, ..."""
    return tuple(
        rule
        for number, index in enumerate(indices)
        for rule in conv(rf"{pattern}\.{index}", f"{path}/conv{number}")
    )


RULES = (
    *_numbered(rf"{PREFIX}Conv([1-5])", r"conv\1", (0, 2, 4)),
    *_numbered(rf"{PREFIX}Deconv([2-5])", r"deconv\1", (0, 2, 4)),
    *_numbered(rf"{PREFIX}Upsample([2-5])", r"upsample\1", (1,)),
    *_numbered(rf"{PREFIX}Vertical([12])", r"vertical\1", (0, 2, 4, 7)),
    *_numbered(rf"{PREFIX}Horizontal([12])", r"horizontal\1", (0, 2, 4, 7)),
)
