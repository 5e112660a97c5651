"""Practical-RIFE's keys in the releases' flownet.pkl, and with ComfyUI's block names."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from vfi_jax.weights.rules import Rule, Rules, conv, conv_prelu, conv_transpose, drop

TITLE = "RIFE"  # common name of its releases, followed by their number
BLOCK = r"block(?:s\.)?(\d)"


def rules(config: Any) -> Rules:
    """The rule table of a Config.

    Args:
      config: a Config of `models.practical_rife`.
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
        head += r"\.0"  # followed by a PixelShuffle
    return (
        *table,
        *conv_transpose(head, r"blocks_\1/head"),
        *(_encoder(*config.encoder) if config.encoder else ()),
        # Parts used only in training; vs-rife ignores them with strict=False.
        *drop(rf"(?!{BLOCK}\.|encode\.).+"),
    )


def suits(config: Any, state_dict: Mapping[str, np.ndarray]) -> bool:
    """Whether a file's layer widths equal a Config's; much faster than tracing all releases.

    Args:
      config: a Config of `models.practical_rife`.
      state_dict: arrays by upstream key, all matched by the Config's rules.
    """
    read = 5 + config.handed + config.unread
    head = 4 * read if config.body == "scaled" else read
    # Axis 0 of a convolution's weight is output channels, axis 1 input channels; transposed:
    # reversed.
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
    """The size of a weight axis of every layer with this name, in order of keys."""
    weight = re.compile(rf"{layer}\.weight")
    return [array.shape[axis] for key, array in sorted(state_dict.items()) if weight.fullmatch(key)]


def _encoder(width, features, depth):
    """The last one is transposed. Up to 4.12 indices are those of a Sequential, later cnn0, ..."""
    step = 1 if depth == 1 else 2
    places = [rf"(?:{step * index}|cnn{index})" for index in range(depth + 1)]
    convs = (
        rule
        for index in range(depth)
        for rule in conv(rf"encode\.{places[index]}", f"encode/conv{index}")
    )
    return (*convs, *conv_transpose(rf"encode\.{places[-1]}", "encode/up"))
