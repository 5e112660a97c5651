"""Data sets by name: "<file>" or "<file>/<variant>", each a file in `builders/`.

A builder has
  LAYOUT: the published directory layout, shown if a folder differs; "" for rendered sets.
  SPLITS: names of its splits; "train", "val" and "test" share no clip.
  VARIANTS: names of its variants, if any.
  EVALUATED: the split for evaluation, if it is not "test".
  clips(root, split, *, variant="", **options) -> Iterator[Clip]: reads names, not pixels. Training
  passes those options that its signature names, of `scenes`, `size`, `frames`, `shortest`,
  `licences` (attributes of `Choice`; `size` is a quarter larger than its crop) and `faults`
  (collects unreadable files while listing clips). sample(root, variant): for sets with files:
  writes a tiny tree of two clips in that layout, for tests. In every clip the mean brightness
  increases with time.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from vfi_jax import lookup
from vfi_jax.data.clip import Clip

BUILDERS = "vfi_jax.data.builders"
NEEDS = ("LAYOUT", "SPLITS", "clips")  # of the module of a data set


def list_data() -> list[str]:
    """Names of all data sets and their variants, sorted."""
    names = []
    for file in lookup.modules(BUILDERS):
        variants = _variants(_builder(file))
        names += [f"{file}/{variant}" for variant in variants] or [file]
    return sorted(names)


def clips(name: str, root: Path | None, split: str, **options: Any) -> Iterator[Clip]:
    """The clips of a split, in the published order.

    Args:
      name: name of the data set.
      root: the download folder; None only for rendered sets.
      split: a split of the set, such as "train", "val" or "test".
      **options: options of this data set's `clips`.

    Raises:
      ValueError: unknown name or split, or the folder has another layout; the message shows the
        expected layout and what was found.
    """
    builder, variant = find(name)
    if split not in builder.SPLITS:
        raise ValueError(f"{name} has splits {', '.join(builder.SPLITS)}; got {split!r}")
    if root is None and builder.LAYOUT:
        raise ValueError(f"{name} needs a folder with this layout:\n{builder.LAYOUT}")
    if variant:
        options["variant"] = variant
    return builder.clips(root, split, **options)


def find(name: str) -> tuple[ModuleType, str]:
    """The builder of a name, and its variant ("" if it has none).

    Raises:
      ValueError: unknown data set or variant.
    """
    file, _, variant = name.partition("/")
    builder = _builder(file)
    known = _variants(builder)
    if (known and variant not in known) or (variant and not known):
        raise ValueError(lookup.unknown("data set", name, list_data()))
    return builder, variant


def options(builder: ModuleType) -> set[str]:
    """Names of the options of a builder's `clips`."""
    return {*inspect.signature(builder.clips).parameters} - {"root", "split", "variant"}


def evaluated_split(name: str) -> str:
    """The split of a data set for evaluation.

    Raises:
      ValueError: unknown data set.
    """
    return getattr(find(name)[0], "EVALUATED", "test")


def _builder(file):
    return lookup.module(BUILDERS, file, kind="data set", needs=NEEDS)


def _variants(builder):
    return getattr(builder, "VARIANTS", ())
