"""Where released weights come from: the records of sources.toml."""

import dataclasses
import functools
import tomllib
from pathlib import Path

from vfi_jax import registry

RECORDS = Path(__file__).with_name("sources.toml")


@dataclasses.dataclass(frozen=True)
class Source:
    """What is known about the released weights of a model.

    Attributes:
      paper: arXiv number.
      licence: of the weights, as their authors word it.
      repository: owner/name on GitHub of the original code.
      commit: of that repository, which the mapping was checked against.
      file: the released file's name; "" where none was released or its name is unknown.
      url: direct link to it; "" where none is known.
      page: where a person can find it.
      sha256: of the file; "" where unknown.
      note: anything else to know before using it.
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


@functools.cache
def records() -> dict[str, Source]:
    """All records by name, such as "sepconv/l1"."""
    return {name: Source(**record) for name, record in tomllib.loads(RECORDS.read_text()).items()}


def source(name: str) -> Source:
    """The record of a model: its own, or else its system's; empty where there is none."""
    system, _ = registry.split(name)
    return records().get(name) or records().get(system) or Source()


def released_as(system: str, file: str) -> str:
    """The full name of the weights of `system` that were released in a file of this name.

    A system given with its variant, or a file of another name, leaves the name as it is.
    """
    for name, record in records().items():
        if "/" not in system and registry.split(name)[0] == system and record.file == file:
            return name
    return system


def advice(name: str) -> str:
    """How to come by the weights of a model, in words that go into a message."""
    system, variant = registry.split(name)
    own = {key: record for key, record in records().items() if key in (name, system)}
    released = own or {
        key: record for key, record in records().items() if registry.split(key)[0] == system
    }
    ways = [way for key, record in released.items() if (way := _way(key, record))]
    return " or ".join(ways) or f"none were released: train it, or pass your own checkpoint's path"


def _way(name, record):
    convert = f"vfi-jax convert {name}"
    if record.url:
        return f"run `{convert}`, which downloads {record.url} ({record.licence})"
    if record.page:
        file = record.file or "the file"
        return f"get {file} from {record.page} ({record.licence}) and run `{convert} {record.file or 'FILE'}`"
    return ""
