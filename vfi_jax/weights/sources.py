"""Sources of released weights: the records of sources.toml."""

import dataclasses
import functools
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from vfi_jax import registry

RECORDS = Path(__file__).with_name("sources.toml")
NONE_RELEASED = "none were released: train it, or pass the path of your own weights"


@dataclasses.dataclass(frozen=True)
class Source:
    """Record of the released weights of a model.

    Attributes:
      paper: arXiv number.
      licence: licence of the weights, as stated by the authors.
      repository: owner/name of the original code on GitHub.
      commit: commit of that repository against which the mapping was checked.
      file: name of the released file; "" if none was released or its name is unknown.
      url: direct link; "" if unknown.
      page: web page with the download.
      sha256: SHA-256 of the file; "" if unknown.
      note: other remarks for users.
      best_for: purpose for which it is the first choice, if any.
    """

    paper: str = ""
    licence: str = ""
    repository: str = ""
    commit: str = ""
    file: str = ""
    url: str = ""
    page: str = ""
    sha256: str = ""
    note: str = ""
    best_for: str = ""


@functools.cache
def records() -> dict[str, Source]:
    """All records by name, such as "sepconv/l1"."""
    return {name: Source(**record) for name, record in tomllib.loads(RECORDS.read_text()).items()}


def source(name: str) -> Source:
    """The record of a model; without a record, only its system's paper is known."""
    papers = [record.paper for key, record in records().items() if _same_system(key, name)]
    return records().get(name) or Source(paper=papers[0] if papers else "")


def released_as(system: str, file: str) -> str:
    """The full name of the weights of `system` released under this file name.

    Also recognises the release number at the end of a renamed file, such as rife417_lite.pth. A
    name with a variant, or an unknown file name, returns the name unchanged.
    """
    if registry.split(system)[1]:
        return system
    names = [name for name in records() if registry.split(name)[0] == system]
    for name in names:
        if records()[name].file == file:
            return name
    stem = _letters_and_digits(file.rpartition(".")[0])
    for name in names:
        number = _letters_and_digits(registry.split(name)[1] or "")
        if number[:1].isdigit() and re.search(rf"(?<!\d){number}$", stem):
            return name
    return system


def advice(name: str) -> str:
    """How to get the weights of a model, as part of a message."""
    names = [name] if name in records() else []
    if not names and name == registry.split(name)[0]:
        # Weights released only as variants: any variant with the same network works.
        names = [key for key in records() if _same_network(key, name)]
    ways = [_way(key, records()[key]) for key in names]
    return ", or ".join(filter(None, ways)) or NONE_RELEASED


def licence(names: Iterable[str]) -> str:
    """The common licence of all these models' records; "" if they differ or have none."""
    found = {records()[name].licence for name in names if name in records()}
    return found.pop() if len(found) == 1 else ""


def _letters_and_digits(text):
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _same_system(name, other):
    return registry.split(name)[0] == registry.split(other)[0]


def _same_network(name, other):
    same = _same_system(name, other)
    return same and registry.create(name).config == registry.create(other).config


def _way(name, record):
    command = f"vfi-jax convert {name}"
    if record.url:
        return f"run `{command}`, which downloads {record.url} ({record.licence})"
    if record.page:
        file = record.file or "FILE"
        return f"get {file} from {record.page} ({record.licence}) and run `{command} {file}`"
    return ""
