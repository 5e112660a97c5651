"""SepConv's keys in files of sniklaus/sepconv-slomo (2017) and in its current code."""

from vfi_jax.weights.rules import Rules, conv

# The files have moduleConv1.0.weight, which current code renames to netConv1.0.weight.
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
