"""Practical-RIFE's keys, as its releases save flownet.pkl, and as ComfyUI names its blocks."""

from typing import Any

import numpy as np

from vfi_jax.weights.rules import Rule, Rules, conv, conv_transpose, drop

BLOCK = r"block(?:s\.)?(\d)"


def rules(config: Any) -> Rules:
    """The table of a Config.

    Args:
      config: of `models.practical_rife`.
    """
    body = rf"{BLOCK}\.convblock\.(\d)"
    return (
        *conv(rf"{BLOCK}\.conv0\.(\d)\.0", r"blocks_\1/stem\2"),
        *conv(rf"{body}\.conv", r"blocks_\1/body\2/conv"),
        Rule(rf"{body}\.beta", r"blocks_\1/body\2/scale", np.ravel),
        *conv_transpose(rf"{BLOCK}\.lastconv\.0", r"blocks_\1/head"),
        *(_encoder(*config.encoder) if config.encoder else ()),
        # Parts that only training had: vs-rife loads the files with strict=False, over these.
        *drop(rf"(?!{BLOCK}\.|encode\.).+"),
    )


def _encoder(width, features, depth):
    """The last of its convolutions is transposed. Up to 4.12 they are numbered as a Sequential
    numbers them, activations included; later they are named cnn0, cnn1, ..."""
    step = 1 if depth == 1 else 2
    places = [rf"(?:{step * index}|cnn{index})" for index in range(depth + 1)]
    convs = (
        rule
        for index in range(depth)
        for rule in conv(rf"encode\.{places[index]}", f"encode/conv{index}")
    )
    return (*convs, *conv_transpose(rf"encode\.{places[-1]}", "encode/up"))
