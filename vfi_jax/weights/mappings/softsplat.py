"""SoftSplat's keys in files of sniklaus/softmax-splatting and in its code."""

from vfi_jax.weights.rules import Rules, conv, nested, prelu

# The files have moduleFlow. ..., which the code renames to netFlow. ...
PREFIX = "(?:module|net)"
MAIN = rf"{PREFIX}Main"
LEVELS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth")
SIZES = ("One", "Two", "Thr")


def _sequential(pattern: str, path: str, *, first: int = 0) -> Rules:
    """PReLU, convolution, PReLU, convolution, from index `first` of a Sequential."""
    return tuple(
        rule
        for index in (0, 1)
        for rule in (
            *prelu(rf"{pattern}\.{first + 2 * index}", f"{path}/prelu{index}"),
            *conv(rf"{pattern}\.{first + 2 * index + 1}", f"{path}/conv{index}"),
        )
    )


def _grid(rows: int) -> Rules:
    r"""A GridNet; its keys name a block by the cells that it connects, "1x2 - 1x3"."""
    rules = [*_sequential(rf"(\d)x\d - \1x(\d)\.{MAIN}", r"lateral\1_\2")]
    for row in range(1, rows):
        down, up = rf"{row - 1}x(\d) - {row}x\1", rf"{row}x(\d) - {row - 1}x\1"
        rules += _sequential(rf"{down}\.{MAIN}", rf"down{row}_\1")
        rules += _sequential(rf"{up}\.{MAIN}", rf"up{row - 1}_\1", first=1)
    return tuple(rules)


def _projected(pattern: str, path: str) -> Rules:
    """A ProjectedBlock."""
    return (
        *conv(rf"{pattern}\.{MAIN}\.0", f"{path}/conv0"),
        *prelu(rf"{pattern}\.{MAIN}\.1", f"{path}/prelu"),
        *conv(rf"{pattern}\.{MAIN}\.2", f"{path}/conv1"),
        *conv(rf"{pattern}\.{PREFIX}Shortcut", f"{path}/shortcut"),
    )


def _flow() -> Rules:
    rules: list = []
    for level, name in enumerate(LEVELS, start=1):
        for index in (0, 1):
            key = rf"{PREFIX}Extractor\.{PREFIX}{name}\.{2 * index}"
            rules += conv(key, f"features{level}_conv{index}")
        for index in range(5):
            rules += conv(rf"{PREFIX}{name}\.{MAIN}\.{2 * index}", f"decoder{level}_conv{index}")
        rules += conv(rf"{PREFIX}{name}\.{MAIN}\.10", f"decoder{level}_flow")
    return tuple(rules)


def _encoder() -> Rules:
    rules: list = []
    for level, name in enumerate(SIZES):
        for index in (0, 1):
            key = rf"{PREFIX}{name}\.{2 * index}"
            rules += conv(key, f"level{level}_conv{index}")
            rules += prelu(rf"{PREFIX}{name}\.{2 * index + 1}", f"level{level}_prelu{index}")
    return tuple(rules)


METRIC = (
    *conv(f"{PREFIX}Input", "frame"),
    *conv(f"{PREFIX}Error", "error"),
    *nested("", _grid(4), "grid"),
    *_projected(f"{PREFIX}Output", "last"),
)
SYNTHESIS = (
    *(
        rule
        for level, name in enumerate(SIZES)
        for rule in _projected(rf"{PREFIX}Warp\.{PREFIX}{name}", f"warped{level}")
    ),
    *nested("", _grid(3), "grid"),
    *_projected(f"{PREFIX}Output", "last"),
)
RULES = (
    *nested(rf"{PREFIX}Flow\.", _flow(), "flow"),
    *nested(rf"{PREFIX}Synthesis\.{PREFIX}Encode\.", _encoder(), "encoder"),
    *nested(rf"{PREFIX}Synthesis\.{PREFIX}Softmetric\.", METRIC, "metric"),
    *nested(rf"{PREFIX}Synthesis\.", SYNTHESIS, "synthesis"),
)
