"""Installing original weights: from a PyTorch file to a checkpoint that `load` finds."""

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
    """Converts a PyTorch file and stores the result; nothing is stored where anything is wrong.

    Args:
      name: whose weights they are; None: recognised by the file's keys and shapes. A system without
        a variant becomes the variant that was released in a file of this name ("sepconv" and
        network-l1.pytorch: "sepconv/l1"), or else the one whose network the arrays fit.
      file: the PyTorch file, or another that `load` reads, or the folder that holds all files of a
        system whose networks were released apart; None: the released one, downloaded.
      out: folder to store in, instead of the user's weights folder.
      key: which set of weights of the file, such as "params_ema".
      notes: is appended lines to show: the licence, the number of parameters, keys without a
        counterpart, and what the mapping's own `report(model, variables)` finds.

    Returns:
      The checkpoint's folder.

    Raises:
      ValueError: unknown model, no conversion or no direct link for it, a file that is damaged or
        no PyTorch file, or arrays that do not fit.
      OSError: no such file, or it could not be downloaded.
    """
    if name is None and file is None:
        raise ValueError("name a model, or a file of weights that is recognised")
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
            f"licence of these weights: {licence or 'not known; ask their authors'}",
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
    """Installs the released weights of a model at first use.

    Nothing is done where they are on this machine, or where no direct link to them is known: `load`
    then says how to get them.

    Args:
      name: as `load` takes it.
      offline: nothing may be downloaded.
      progress: as for `fetch`.
      log: is called with a line on where the file comes from and its licence, and with lines on
        its size, its SHA-256 and what was installed.

    Raises:
      FileNotFoundError: they would have to be downloaded and `offline` is set.
      ConnectionError: they could not be downloaded.
      ValueError: as `fetch` and `install`.
    """
    record = sources.records().get(name)
    if record is None or not record.url or at_hand(name):
        return
    if offline:
        raise FileNotFoundError(
            f"the weights of {name} are not on this machine, and --offline forbids to download "
            f"{record.url}"
        )
    log(f"fetching the weights of {name}: {record.url}")
    log(f"licence of these weights: {record.licence or 'not known; ask their authors'}")
    file = fetch(name, progress=progress)
    log(f"{file.stat().st_size / 1e6:.1f} MB, SHA-256 {manifest.sha256(file)}")
    log(f"stored in {install(name, file)}")
    if record.note:
        log(f"note: {record.note}")


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
