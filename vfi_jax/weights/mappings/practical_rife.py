"""Practical-RIFE's keys, as its releases save flownet.pkl, and as ComfyUI names its blocks."""

from typing import Any

import numpy as np

from vfi_jax.weights.rules import Rule, Rules, conv, conv_prelu, conv_transpose, drop

BLOCK = r"block(?:s\.)?(\d)"


def rules(config: Any) -> Rules:
    """The table of a Config.

    Args:
      config: of `models.practical_rife`.
    """
    stem, body = rf"{BLOCK}\.conv0\.(\d)", rf"{BLOCK}\.convblock\.(\d)"
    head = rf"{BLOCK}\.lastconv"
    if config.body == "prelu":
        table = conv_prelu(stem, r"blocks_\1/stem\2") + conv_prelu(body, r"blocks_\1/body\2")
    else:
        table = conv(rf"{stem}\.0", r"blocks_\1/stem\2")
    if config.body == "plain":
        table += conv(rf"{body}\.0", r"blocks_\1/body\2")
    if config.body == "scaled":
        table += conv(rf"{body}\.conv", r"blocks_\1/body\2/conv")
        table += (Rule(rf"{body}\.beta", r"blocks_\1/body\2/scale", np.ravel),)
        head += r"\.0"  # a PixelShuffle follows
    return (
        *table,
        *conv_transpose(head, r"blocks_\1/head"),
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
