"""Practical-RIFE's keys, as its releases save flownet.pkl, and as ComfyUI names its blocks."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from vfi_jax.weights.rules import Rule, Rules, conv, conv_prelu, conv_transpose, drop

TITLE = "RIFE"  # what people call its releases, by their number
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


def suits(config: Any, state_dict: Mapping[str, np.ndarray]) -> bool:
    """Whether a file's layers are as wide as a Config's: quick, where tracing all releases is not.

    Args:
      config: of `models.practical_rife`.
      state_dict: arrays by upstream key; the table of the Config knows all keys.
    """
    read = 5 + config.handed + config.unread
    head = 4 * read if config.body == "scaled" else read
    # Axis 0 of a convolution's weight is its outputs, axis 1 its inputs; transposed: the reverse.
    slopes = list(config.channels) if config.body == "prelu" else []
    return (
        _widths(state_dict, rf"{BLOCK}\.conv0\.1\.1", 0) == slopes
        and _widths(state_dict, rf"{BLOCK}\.conv0\.1\.0", 0) == list(config.channels)
        and _widths(state_dict, rf"{BLOCK}\.convblock\.0\.(?:0|conv)", 1)
        == [width // config.groups for width in config.channels]
        and _widths(state_dict, rf"{BLOCK}\.lastconv(?:\.0)?", 1) == [head] * len(config.channels)
        and _widths(state_dict, r"encode\.(?:0|cnn0)", 0) == list((config.encoder or ())[:1])
        and _widths(state_dict, r"encode\.(?:\d|cnn\d)", 1)[-1:]
        == list((config.encoder or ())[1:2])
    )


def _widths(state_dict, layer, axis):
    """An axis of the weight of every layer of a name, in the order of their keys."""
    weight = re.compile(rf"{layer}\.weight")
    return [array.shape[axis] for key, array in sorted(state_dict.items()) if weight.fullmatch(key)]


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
