"""Download of released weights, verified by SHA-256."""

import logging
import os
import urllib.request
from collections.abc import Callable
from pathlib import Path

from vfi_jax import registry
from vfi_jax.weights import manifest, places, sources

TIMEOUT = 60  # seconds without a response
CHUNK = 2**18  # bytes between progress reports

Progress = Callable[[int, int | None], None]  # bytes received, and total bytes if known

_log = logging.getLogger(__name__)


def fetch(name: str, *, progress: Progress | None = None) -> Path:
    """Download the released PyTorch file of a model at first use.

    It must have the SHA-256 of sources.toml. If that is unknown, the SHA-256 of the first download
    is recorded next to the file, with a warning, and required from then on.

    Args:
      name: system, network or variant, such as "sepconv/l1".
      progress: called during the download.

    Returns:
      The file, in the user's folder.

    Raises:
      ValueError: no direct link is known, or the file has an unexpected SHA-256.
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
        _download(record, file, progress)
    found = manifest.sha256(file)
    if not expected:
        known.write_text(f"{found}\n")
        _log.warning("the SHA-256 of %s is not known yet; recorded %s", record.url, found)
    elif found != expected:
        file.unlink()
        raise ValueError(f"{record.url} has SHA-256 {found}, expected {expected}; deleted it")
    return file


def _download(record: sources.Source, file: Path, progress: Progress | None) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        with (
            urllib.request.urlopen(record.url, timeout=TIMEOUT) as response,
            partial.open("wb") as out,
        ):
            size = int(response.headers["Content-Length"] or 0) or None
            while chunk := response.read(CHUNK):
                out.write(chunk)
                if progress is not None:
                    progress(out.tell(), size)
        if size and size != partial.stat().st_size:
            raise ConnectionError(f"received {partial.stat().st_size} of {size} bytes")
        partial.rename(file)
    except OSError as error:  # includes URLError, timeouts and a full disk
        raise ConnectionError(
            f"cannot download {record.url}: {error}; download it yourself and pass the file"
        ) from None
    finally:
        partial.unlink(missing_ok=True)
