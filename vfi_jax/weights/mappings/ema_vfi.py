"""EMA-VFI's keys in files of MCG-NJU/EMA-VFI, equal for all sizes."""

from vfi_jax.weights.rules import (
    Rules,
    conv,
    conv_prelu,
    conv_transpose,
    drop,
    layer_norm,
    linear,
    nested,
    prelu,
    stacked,
)

LINEAR = {
    r"attn\.q": "query",
    r"attn\.kv": "key_value",
    r"attn\.cor_embed": "place",
    r"attn\.proj": "merge",
    r"attn\.motion_proj": "motion",
    r"mlp\.fc1": "expand",
    r"mlp\.fc2": "shrink",
}
ATTENTION = (
    *layer_norm("norm1", "norm0"),
    *layer_norm("norm2", "norm1"),
    *(rule for theirs, ours in LINEAR.items() for rule in linear(theirs, ours)),
    *conv(r"mlp\.dwconv\.dwconv", "mix"),
)


def _convolved(level: int) -> Rules:
    key, path = rf"block{level + 1}\.conv", f"level{level}"
    rules = [
        rule
        for index in (0, 1)
        for rule in (
            *conv(rf"{key}\.{2 * index}", f"{path}_conv{index}/conv"),
            *prelu(rf"{key}\.{2 * index + 1}", f"{path}_conv{index}/prelu"),
        )
    ]
    if level:
        rules += conv_prelu(rf"patch_embed{level + 1}", f"{path}_down")
    return tuple(rules)


def _attended(level: int) -> Rules:
    embed, path = rf"patch_embed{level + 1}", f"level{level}"
    return (
        *conv(rf"{embed}\.proj", f"{path}_embed"),
        *layer_norm(rf"{embed}\.norm", f"{path}_embed_norm"),
        *stacked(nested(rf"block{level + 1}\.(?P<layer>\d)\.", ATTENTION, f"{path}_stage/block")),
        *layer_norm(rf"norm{level + 1}", f"{path}_norm"),
    )


BACKBONE = (
    *(rule for level in (0, 1, 2) for rule in _convolved(level)),
    *conv(r"patch_embed4\.layers\.(\d)", r"across\1"),
    *(rule for level in (3, 4) for rule in _attended(level)),
)
RULES = (
    *nested(r"feature_bone\.", BACKBONE, "backbone"),
    *conv_prelu(r"block\.([01])\.conv\.([012])", r"heads_\1/conv\2"),
    *(
        rule
        for index in (0, 1)
        for rule in conv_prelu(rf"unet\.down(\d)\.conv{index + 1}", rf"refine/down\1/conv{index}")
    ),
    *conv_transpose(r"unet\.up(\d)\.0", r"refine/up\1"),
    *prelu(r"unet\.up(\d)\.1", r"refine/up\1_prelu"),
    *conv(r"unet\.conv", "refine/head"),
    # Cached masks of the last input size, and their tokens.
    *drop(r".+\.(?:attn_mask|HW)"),
)
