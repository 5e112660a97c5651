"""Data sets by name: "<file>" or "<file>/<variant>", each a file in `builders/`.

A builder has
  LAYOUT: the tree of files as it is published, shown where a folder looks otherwise; "" for a set
    that is rendered.
  SPLITS: names of its splits; "train", "val" and "test" share no clip.
  VARIANTS: names of its variants, where it has any.
  EVALUATED: the split that is evaluated, where it is not "test".
  clips(root, split, *, variant="", **options) -> Iterator[Clip]: reads names, not pixels. Of the
    options `scenes`, `size`, `frames`, `shortest`, `licences` (attributes of `Choice`; `size` is a
    quarter larger than its crop) and `faults` (takes files that cannot be read while clips are
    listed) training passes those that its signature names.
  sample(root, variant): writes a tiny tree of two clips in that layout, for tests; of sets with
    files. In every clip the mean of a frame rises with time.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from vfi_jax import lookup
from vfi_jax.data.clip import Clip

BUILDERS = "vfi_jax.data.builders"


def list_data() -> list[str]:
    """Names of all data sets and their variants, sorted."""
    names = []
    for file in lookup.modules(BUILDERS):
        variants = _variants(lookup.module(BUILDERS, file, kind="data set"))
        names += [f"{file}/{variant}" for variant in variants] or [file]
    return sorted(names)


def clips(name: str, root: Path | None, split: str, **options: Any) -> Iterator[Clip]:
    """The clips of a split, in the published order.

    Args:
      name: of the data set.
      root: the folder that it was downloaded to; None only for sets that are rendered.
      split: one that the set has, such as "train", "val" or "test".
      **options: of this data set's own `clips`.

    Raises:
      ValueError: unknown name or split, or the folder is laid out otherwise; the message shows the
        layout wanted and what was found.
    """
    builder, variant = find(name)
    if split not in builder.SPLITS:
        raise ValueError(f"{name} has splits {', '.join(builder.SPLITS)}; got {split!r}")
    if root is None and builder.LAYOUT:
        raise ValueError(f"{name} is read from a folder: name it\n{builder.LAYOUT}")
    if variant:
        options["variant"] = variant
    return builder.clips(root, split, **options)


def find(name: str) -> tuple[ModuleType, str]:
    """The builder of a name, and its variant ("" where it has none).

    Raises:
      ValueError: no such data set or variant.
    """
    file, _, variant = name.partition("/")
    builder = lookup.module(BUILDERS, file, kind="data set")
    known = _variants(builder)
    if (known and variant not in known) or (variant and not known):
        raise ValueError(lookup.unknown("data set", name, list_data()))
    return builder, variant


def options(builder: ModuleType) -> set[str]:
    """Names of the options that a builder's `clips` takes."""
    return {*inspect.signature(builder.clips).parameters} - {"root", "split", "variant"}


def evaluated_split(name: str) -> str:
    """The split of a data set that is evaluated.

    Raises:
      ValueError: no such data set.
    """
    return getattr(find(name)[0], "EVALUATED", "test")


def _variants(builder):
    return getattr(builder, "VARIANTS", ())
