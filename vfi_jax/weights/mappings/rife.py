"""RIFE's keys in hzwer/ECCV2022-RIFE's flownet.pkl (IFNet, IFNet_m and IFNet_2R)."""

from typing import Any

from vfi_jax.weights.rules import Rules, conv, conv_prelu, conv_transpose, drop, prelu


def rules(config: Any, *, train: bool = False) -> Rules:
    """The rule table of a Config.

    Args:
      config: a Config of `models.rife`.
      train: keep the teacher, which is used only in training.
    """
    teacher = _flow_block("block_tea", "teacher") if train else drop(r"block_tea\..+")
    return (
        *_flow_block(r"block(\d)", r"flow/block\1"),
        *teacher,
        *_halving(r"contextnet\.conv1", "context/level0"),
        *_halving(r"contextnet\.conv2", "context/level1"),
        *_halving(r"contextnet\.conv3", "context/level2"),
        *_halving(r"contextnet\.conv4", "context/level3"),
        *_halving(r"unet\.down(\d)", r"refine/down\1"),
        *conv_transpose(r"unet\.up(\d)\.0", r"refine/up\1"),
        *prelu(r"unet\.up(\d)\.1", r"refine/up\1_prelu"),
        *conv(r"unet\.conv", "refine/head"),
    )


def _flow_block(key, path):
    # A digit in the key is group 1 of the pattern, so the groups here start after it.
    after = key.count("(") + 1
    return (
        *conv_prelu(rf"{key}\.conv0\.(\d)", rf"{path}/stem\{after}"),
        *conv_prelu(rf"{key}\.convblock\.(\d)", rf"{path}/body\{after}"),
        *conv_transpose(rf"{key}\.lastconv", f"{path}/head"),
    )


def _halving(key, path):
    return (
        *conv_prelu(rf"{key}\.conv1", f"{path}/conv0"),
        *conv_prelu(rf"{key}\.conv2", f"{path}/conv1"),
    )
