"""Rules of mappings: tables from upstream keys to paths of variables.

A rule is a regular expression that must match a whole upstream key, and the path it fills. Every
upstream key must match exactly one rule and every variable must be filled exactly once;
`vfi_jax.weights.convert` checks this.
"""

import dataclasses
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np


class Finding(NamedTuple):
    """A result of a mapping's `report(model, variables)` on converted weights.

    Attributes:
      text: one line.
      passed: whether the check passed.
    """

    text: str
    passed: bool


@dataclasses.dataclass(frozen=True)
class Rule:
    r"""One rule of a mapping.

    Attributes:
      pattern: regular expression for the whole upstream key.
      path: path of the variable, "/"-separated and without the collection, with the groups of
        `pattern` as \1, \2, ...; None: the key is dropped.
      change: conversion of the upstream array to ours.
      collection: "params" or "batch_stats".
      stack: the pattern's group `layer` is a number; the arrays of layers 0, 1, ... are stacked on
        a new first axis (for blocks under `nn.scan`).
      first: number of the first layer in the keys.
    """

    pattern: str
    path: str | None
    change: Callable[[np.ndarray], np.ndarray] = np.asarray
    collection: str = "params"
    stack: bool = False
    first: int = 0

    def match(self, key: str) -> re.Match | None:
        """The match of a whole key, or None."""
        return re.fullmatch(self.pattern, key)


Rules = tuple[Rule, ...]


def tensor(pattern: str, path: str) -> Rules:
    """A parameter without conversion."""
    return (Rule(pattern, path),)


def conv(pattern: str, path: str) -> Rules:
    """`layers.Conv`: weight OIHW to kernel HWIO, and optional bias."""
    return (
        Rule(rf"{pattern}\.weight", f"{path}/kernel", _hwio),
        Rule(rf"{pattern}\.bias", f"{path}/bias"),
    )


def conv_transpose(pattern: str, path: str) -> Rules:
    """`layers.ConvTranspose`: weight IOHW rotated by 180 degrees to kernel HWIO, and bias."""
    return (
        Rule(rf"{pattern}\.weight", f"{path}/kernel", _turned),
        Rule(rf"{pattern}\.bias", f"{path}/bias"),
    )


def linear(pattern: str, path: str) -> Rules:
    """A linear map: weight [out, in] to kernel [in, out], and optional bias."""
    return (
        Rule(rf"{pattern}\.weight", f"{path}/kernel", np.transpose),
        Rule(rf"{pattern}\.bias", f"{path}/bias"),
    )


def layer_norm(pattern: str, path: str) -> Rules:
    """`flax.linen.LayerNorm`: weight to scale, and bias."""
    return (Rule(rf"{pattern}\.weight", f"{path}/scale"), Rule(rf"{pattern}\.bias", f"{path}/bias"))


def prelu(pattern: str, path: str) -> Rules:
    """`layers.PReLU`: weight to slope."""
    return (Rule(rf"{pattern}\.weight", f"{path}/slope"),)


def conv_prelu(pattern: str, path: str) -> Rules:
    """`layers.ConvPReLU` from a Sequential of both."""
    return (*conv(rf"{pattern}\.0", f"{path}/conv"), *prelu(rf"{pattern}\.1", f"{path}/prelu"))


def batch_norm(pattern: str, path: str) -> Rules:
    """`layers.BatchNorm`: scale and bias if affine, running statistics."""
    return (
        Rule(rf"{pattern}\.weight", f"{path}/scale"),
        Rule(rf"{pattern}\.bias", f"{path}/bias"),
        Rule(rf"{pattern}\.running_mean", f"{path}/mean", collection="batch_stats"),
        Rule(rf"{pattern}\.running_var", f"{path}/var", collection="batch_stats"),
        *drop(rf"{pattern}\.num_batches_tracked"),
    )


def drop(pattern: str) -> Rules:
    """Keys without a counterpart here."""
    return (Rule(pattern, None),)


def nested(pattern: str, rules: Iterable[Rule], path: str) -> Rules:
    r"""Another table under a prefix of the keys (such as r"flownets\.") and of the paths.

    `pattern` must have no groups, because the table's groups are numbered from 1.
    """
    return tuple(
        dataclasses.replace(
            rule,
            pattern=f"{pattern}(?:{rule.pattern})",
            path=None if rule.path is None else f"{path}/{rule.path}",
        )
        for rule in rules
    )


def stacked(rules: Iterable[Rule], *, first: int = 0) -> Rules:
    """The same rules, stacked over the group `layer` of their patterns, starting at `first`."""
    return tuple(dataclasses.replace(rule, stack=True, first=first) for rule in rules)


def _hwio(weight):
    return np.transpose(weight, (2, 3, 1, 0))


def _turned(weight):
    return np.transpose(weight[:, :, ::-1, ::-1], (2, 3, 0, 1))
