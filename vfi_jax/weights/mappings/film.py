"""FILM's keys in dajes/frame-interpolation-pytorch's conversion of the authors' SavedModel.

Convolutions are element `0` of a Sequential; in its release 1.0.0, whose file has the same name,
only those followed by an activation. ComfyUI names the same arrays `conv`.
"""

from vfi_jax.models.film import Config
from vfi_jax.weights.rules import Rules, conv

CONV = r"(?:\.(?:0|conv))?"


def rules(config: Config) -> Rules:
    """The rule table of a Config; flow networks and decoder levels count from the coarsest."""
    own = len(config.flow_widths) - 1
    networks = {r"_predictor": own}
    networks |= {rf"_predictors\.{own - 1 - level}": level for level in range(own)}
    fused = config.fused - 1
    return (
        *conv(
            rf"extract\.extract_sublevels\.convs\.(\d+)\.([01]){CONV}",
            r"extract/level\1_conv\2",
        ),
        *(
            rule
            for theirs, ours in networks.items()
            for rule in _flow_network(rf"predict_flow\.{theirs}", f"flow_{ours}", config.flow_depth)
        ),
        *(
            rule
            for level in range(fused)
            for rule in conv(
                rf"fuse\.convs\.{fused - 1 - level}\.([012]){CONV}", rf"fuse/level{level}_conv\1"
            )
        ),
        *conv(r"fuse\.output_conv", "fuse/head"),
    )


def _flow_network(key, path, depth):
    return (
        *(
            rule
            for index in range(depth)
            for rule in conv(rf"{key}\._convs\.{index}{CONV}", f"{path}/conv{index}")
        ),
        *conv(rf"{key}\._convs\.{depth}{CONV}", f"{path}/narrow"),
        *conv(rf"{key}\._convs\.{depth + 1}{CONV}", f"{path}/head"),
    )
