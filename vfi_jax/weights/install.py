"""Installation of original weights: from a PyTorch file to a checkpoint that `load` finds."""

from collections.abc import Callable
from pathlib import Path

import flax.linen as nn

from vfi_jax import registry
from vfi_jax.weights import manifest, sources
from vfi_jax.weights.conversion import alike, mapping_of
from vfi_jax.weights.download import Progress, fetch
from vfi_jax.weights.library import at_hand, from_file, save
from vfi_jax.weights.rules import Finding


def install(
    name: str | None,
    file: str | Path | None = None,
    *,
    out: str | Path | None = None,
    key: str | None = None,
    notes: list[str] | None = None,
) -> Path:
    """Convert a PyTorch file and store the result; after an error nothing is stored.

    Args:
      name: model of the weights; None: recognised from the file's keys and shapes. A system without
        a variant becomes the variant released under this file name ("sepconv" and
        network-l1.pytorch: "sepconv/l1"), or otherwise the one whose network fits.
      file: the PyTorch file or any other that `load` reads, or the folder with all files of a
        system released in several files; None: download the released file.
      out: output folder; default: the user's weights folder.
      key: name of the set of weights in the file, such as "params_ema".
      notes: list to which lines are appended: the licence, the number of parameters, unused keys,
        and the results of the mapping's `report(model, variables)`.

    Returns:
      The checkpoint's folder.

    Raises:
      ValueError: unknown model, no conversion or direct link for it, a file that is damaged or not
        a PyTorch file, or arrays that do not fit.
      OSError: the file does not exist or could not be downloaded.
    """
    if name is None and file is None:
        raise ValueError("pass the name of a model, or a file of weights")
    if name is not None:
        name = sources.released_as(name, Path(file or "").name)
        registry.create(name)
    path = Path(file or fetch(str(name)))
    lines: list[str] = []
    name, variables = from_file(path, name, key=key, notes=lines)
    model = registry.create(name)
    licence = sources.source(name).licence or sources.licence(alike(name))
    lines += [finding.text for finding in report(name, model, variables)]
    folder = save(out or name, name, variables, licence=licence, source=_origin(name, path))
    if notes is not None:
        count = registry.count_parameters(variables)
        notes += [
            f"{name}: {count:,} parameters",
            f"licence of these weights: {licence or 'unknown; ask the authors'}",
            *lines,
        ]
    return folder


def obtain(
    name: str,
    *,
    offline: bool = False,
    progress: Progress | None = None,
    log: Callable[[str], None] = lambda line: None,
) -> None:
    """Install the released weights of a model at first use.

    Does nothing if they are on this machine, or if no direct link is known; `load` then explains
    how to get them.

    Args:
      name: as in `load`.
      offline: do not download.
      progress: as for `fetch`.
      log: called with lines about the file's source and licence, its size and SHA-256, and what was
        installed.

    Raises:
      FileNotFoundError: a download is needed but `offline` is set.
      ConnectionError: the download failed.
      ValueError: as in `fetch` and `install`.
    """
    record = sources.records().get(name)
    if record is None or not record.url or at_hand(name):
        return
    if offline:
        raise FileNotFoundError(
            f"the weights of {name} are not on this machine, and --offline forbids downloading "
            f"{record.url}"
        )
    log(f"downloading the weights of {name}: {record.url}")
    log(f"licence of these weights: {record.licence or 'unknown; ask the authors'}")
    file = fetch(name, progress=progress)
    log(f"{file.stat().st_size / 1e6:.1f} MB, SHA-256 {manifest.sha256(file)}")
    log(f"stored in {install(name, file)}")
    if record.note:
        log(f"note: {record.note}")


def report(name: str, model: nn.Module, variables: dict) -> list[Finding]:
    """Results of a mapping's checks of converted weights; most mappings have none.

    Args:
      name: name of the system.
      model: the model.
      variables: its converted variables.
    """
    mapping = mapping_of(name)
    return list(mapping.report(model, variables)) if hasattr(mapping, "report") else []


def _origin(name, path):
    """Source of the weights, for the checkpoint's description."""
    record = sources.source(name)
    parts = (record.repository, record.commit and f"at {record.commit}", f"file {path.name}")
    return ", ".join(filter(None, parts))
