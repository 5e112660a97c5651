"""Installing original weights: from a PyTorch file to a checkpoint that `load` finds."""

from pathlib import Path

import flax.linen as nn

from vfi_jax import registry
from vfi_jax.weights import sources
from vfi_jax.weights.conversion import mapping_of
from vfi_jax.weights.download import fetch
from vfi_jax.weights.library import from_torch, save
from vfi_jax.weights.rules import Finding


def install(
    name: str,
    file: str | Path | None = None,
    *,
    out: str | Path | None = None,
    notes: list[str] | None = None,
) -> Path:
    """Converts a PyTorch file and stores the result; nothing is stored where anything is wrong.

    Args:
      name: whose weights they are. A system without a variant becomes the variant that was
        released in a file of this name ("sepconv" and network-l1.pytorch: "sepconv/l1").
      file: the PyTorch file; None: the released one, downloaded.
      out: folder to store in, instead of the user's weights folder.
      notes: is appended lines to show: the licence, the number of parameters, keys without a
        counterpart, and what the mapping's own `report(model, variables)` finds.

    Returns:
      The checkpoint's folder.

    Raises:
      ValueError: unknown model, no conversion or no direct link for it, a file that is damaged or
        no PyTorch file, or arrays that do not fit.
      OSError: no such file, or it could not be downloaded.
    """
    name = sources.released_as(name, Path(file or "").name)
    model = registry.create(name)
    path = Path(file or fetch(name))
    lines: list[str] = []
    _, variables = from_torch(path, name, notes=lines)
    licence = sources.source(name).licence
    lines += [finding.text for finding in report(name, model, variables)]
    folder = save(out or name, name, variables, licence=licence, source=_origin(name, path))
    if notes is not None:
        count = registry.count_parameters(variables)
        notes += [
            f"{name}: {count:,} parameters",
            f"licence of these weights: {licence or 'not known; ask their authors'}",
            *lines,
        ]
    return folder


def report(name: str, model: nn.Module, variables: dict) -> list[Finding]:
    """What a system's mapping finds in converted weights; most look for nothing.

    Args:
      name: of the system.
      model: without its variables.
      variables: converted.
    """
    mapping = mapping_of(name)
    return list(mapping.report(model, variables)) if hasattr(mapping, "report") else []


def _origin(name, path):
    """Where the weights come from, for the checkpoint's description."""
    record = sources.source(name)
    parts = (record.repository, record.commit and f"at {record.commit}", f"file {path.name}")
    return ", ".join(filter(None, parts))
