"""Fetching released weights, each held to its SHA-256."""

import logging
import os
import shutil
import urllib.request
from pathlib import Path

from vfi_jax import registry
from vfi_jax.weights import places, sources, store

TIMEOUT = 60  # seconds without an answer

_log = logging.getLogger(__name__)


def fetch(name: str) -> Path:
    """The released PyTorch file of a model, downloaded at first use.

    It must have the SHA-256 of sources.toml. Where that is unknown, the first download's is
    recorded beside the file, with a warning, and holds from then on.

    Args:
      name: system, network or variant, such as "sepconv/l1".

    Returns:
      The file, in the user's folder.

    Raises:
      ValueError: no direct link is known, or the file is not the one expected.
      ConnectionError: it could not be downloaded.
    """
    registry.create(name)
    record = sources.source(name)
    if not record.url:
        raise ValueError(
            f"no direct link to the weights of {name} is known; {sources.advice(name)}"
        )
    file = places.home() / "downloads" / registry.split(name)[0] / record.file
    known = file.with_name(f"{file.name}.sha256")
    expected = record.sha256 or (known.read_text().strip() if known.exists() else "")
    if not file.exists():
        _download(record, file)
    found = store.sha256(file)
    if not expected:
        known.write_text(f"{found}\n")
        _log.warning("the SHA-256 of %s is not known yet; recorded %s", record.url, found)
    elif found != expected:
        file.unlink()
        raise ValueError(f"{record.url} has SHA-256 {found}, expected {expected}; deleted it")
    return file


def _download(record: sources.Source, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        with (
            urllib.request.urlopen(record.url, timeout=TIMEOUT) as response,
            partial.open("wb") as out,
        ):
            shutil.copyfileobj(response, out)
        size = response.headers["Content-Length"]
        if size and int(size) != partial.stat().st_size:
            raise ConnectionError(f"{partial.stat().st_size} of {size} bytes came")
        partial.rename(file)
    except OSError as error:  # URLError, time-outs and a full disk among them
        raise ConnectionError(
            f"cannot download {record.url}: {error}; fetch it yourself and name the file"
        ) from None
    finally:
        partial.unlink(missing_ok=True)
