"""GMFlow's keys in files of haofeixu/gmflow (with refinement) and of GMFSS."""

from vfi_jax.weights.rules import Rules, conv, layer_norm, linear

NAMES = {"q_proj": "query", "k_proj": "key", "v_proj": "value", "merge": "merge"}


def _backbone() -> Rules:
    rules: list = []
    for level in range(3):  # they count from 1
        key, path = rf"backbone\.layer{level + 1}\.(\d)", rf"backbone/block{level}_\1"
        for index in (0, 1):
            rules += conv(rf"{key}\.conv{index + 1}", f"{path}/conv{index}")
        rules += conv(rf"{key}\.downsample\.0", f"{path}/shortcut")
    return (
        *rules,
        *conv(r"backbone\.conv1", "backbone/stem"),
        *conv(r"backbone\.conv2", "backbone/project"),
        *conv(r"backbone\.trident_conv", "backbone/head"),
    )


def _attention(key: str, path: str) -> Rules:
    key, path = rf"transformer\.layers\.(\d)\.{key}", rf"transformer/block\1/{path}"
    return (
        *(
            rule
            for theirs, ours in NAMES.items()
            for rule in linear(rf"{key}\.{theirs}", f"{path}/{ours}")
        ),
        *layer_norm(rf"{key}\.norm1", f"{path}/norm0"),
        *layer_norm(rf"{key}\.norm2", f"{path}/norm1"),
        *linear(rf"{key}\.mlp\.0", f"{path}/ffn0"),
        *linear(rf"{key}\.mlp\.2", f"{path}/ffn1"),
    )


RULES = (
    *_backbone(),
    *_attention("self_attn", "self"),
    *_attention("cross_attn_ffn", "cross"),
    *linear(r"feature_flow_attn\.q_proj", "propagation/query"),
    *linear(r"feature_flow_attn\.k_proj", "propagation/key"),
    *conv(r"upsampler\.0", "upsampler/conv0"),
    *conv(r"upsampler\.2", "upsampler/conv1"),
)
