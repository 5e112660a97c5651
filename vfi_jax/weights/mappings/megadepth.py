"""MegaDepth's keys in files of zhengqili/MegaDepth: nested Sequentials, numbered by position."""

from vfi_jax.weights.rules import Rules, batch_norm, conv

DEEP = (0, 0, 1, 1)  # index of a scale's deep branch, finest scale first
INNER = 3  # index of the next scale in a deep branch
HOURGLASS = "3"


def _scales(key: str, path: str, deep: tuple[int, ...]) -> Rules:
    """The rules of a scale and all coarser ones."""
    first, *rest = deep
    # The innermost scale has a block in place of the next scale.
    places = "1245" if rest else "123"
    deep_key, skip_key = rf"{key}\.0\.{first}", rf"{key}\.0\.{1 - first}"
    rules = (
        *_block(rf"{deep_key}\.([{places}])", rf"{path}/deep\1"),
        *_block(rf"{skip_key}\.(\d)", rf"{path}/skip\1"),
    )
    if rest:
        rules += _scales(rf"{deep_key}\.{INNER}", f"{path}/inner", tuple(rest))
    return rules


def _block(key: str, path: str) -> Rules:
    """An inception block: each branch is convolution, norm, ReLU, convolution, norm, ReLU."""
    return tuple(
        rule
        for place, name in ((0, "unit0"), (3, "unit1"))
        for rule in (
            *conv(rf"{key}\.(\d)\.{place}", rf"{path}/branch\2_{name}/conv"),
            *batch_norm(rf"{key}\.(\d)\.{place + 1}", rf"{path}/branch\2_{name}/norm"),
        )
    )


RULES = (
    *conv("0", "stem/conv"),
    *batch_norm("1", "stem/norm"),
    *_scales(HOURGLASS, "hourglass", DEEP),
    *conv("4", "head"),
)
