"""SepConv++'s keys in files of sniklaus/revisiting-sepconv."""

from vfi_jax.weights.rules import Rules, conv, prelu

COARSEST = 4  # first row in the decoder's lists
HEADS = {
    "Verone": "vertical1",
    "Vertwo": "vertical2",
    "Horone": "horizontal1",
    "Hortwo": "horizontal2",
}


def _block(key: str, path: str, *, places: tuple[int, int, int, int] = (0, 1, 2, 3)) -> Rules:
    """PReLU, convolution, PReLU, convolution, at `places` of a Sequential."""
    return (
        *prelu(rf"{key}\.netMain\.{places[0]}", f"{path}/prelu0"),
        *conv(rf"{key}\.netMain\.{places[1]}", f"{path}/conv0"),
        *prelu(rf"{key}\.netMain\.{places[2]}", f"{path}/prelu1"),
        *conv(rf"{key}\.netMain\.{places[3]}", f"{path}/conv1"),
    )


def _head(key: str, path: str) -> Rules:
    return (
        *conv(rf"{key}\.netMain\.1", f"{path}/conv0"),
        *prelu(rf"{key}\.netMain\.2", f"{path}/prelu"),
        *conv(rf"{key}\.netMain\.3", f"{path}/conv1"),
    )


def _column() -> Rules:
    rules: list = [*_block(r"netEncode\.0\.netVer\.(\d)", r"down\1")]
    for row in range(1, COARSEST + 1):
        key = rf"netDecode\.0\.netHor\.{COARSEST - row}"
        rules += _block(key, f"lateral{row}")
    for row in range(1, COARSEST):
        # Index 1 is the upsampling.
        key = rf"netDecode\.0\.netVer\.{COARSEST - row}"
        rules += _block(key, f"up{row}", places=(0, 2, 3, 4))
    return tuple(rules)


RULES = (
    *conv("netInput", "input"),
    *_column(),
    *(rule for theirs, ours in HEADS.items() for rule in _head(f"net{theirs}", ours)),
)
