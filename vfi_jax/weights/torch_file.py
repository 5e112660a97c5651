"""Reads the arrays of a PyTorch file without PyTorch and without running code from the file.

PyTorch has two formats: a zip archive (1.6 and later, and all TorchScript files) and the older
sequence of five pickles and raw storages. In both, a pickle describes tensors as views of
separately stored storages. Safetensors files are supported too.
"""

import mmap
import pickle
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from vfi_jax.weights.unpickle import (
    Refused,
    Scripted,
    Storage,
    StorageView,
    Tensor,
    Unpickler,
)

ZIP_MAGIC = b"PK\x03\x04"
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # torch.serialization.MAGIC_NUMBER
LEGACY_PROTOCOL = 1001
SAFETENSORS_START = b"{"  # start of its header, after the header's length in 8 bytes
BYTE_ORDERS = {b"little": "<", b"big": ">"}
WRAPPED = "state_dict"  # key of the weights in checkpoints of training scripts
# Common key prefixes: of DataParallel, of torch.compile, and of wrapper classes.
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "generator.")

DAMAGE = (  # exceptions raised by a damaged pickle or archive
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    MemoryError,
    AssertionError,
    RuntimeError,
    OSError,
)


def read_torch(
    path: str | Path, *, key: str | None = None, notes: list[str] | None = None
) -> dict[str, np.ndarray]:
    """The state dict of a file from `torch.save` (.pth, .pkl, .pytorch, .pth.tar) or
    `torch.jit.save` (.pt), or of a .safetensors file.

    A state dict inside a training checkpoint is found automatically, and common prefixes of all
    keys ("module.", "_orig_mod.", "model.", "net.", "generator.") are removed. Only arrays, plain
    containers and inert placeholders of settings, paths and dates are created; a file that needs
    anything else is rejected, and the code of a TorchScript model is never run.

    Args:
      path: the file, in PyTorch's zip or legacy format or in safetensors format.
      key: name of the set of weights to read if a file contains several, such as "params_ema".
      notes: list to which a line is appended for each removed prefix.

    Returns:
      Arrays by key, in the order and with the types of the file.

    Raises:
      FileNotFoundError: the file does not exist.
      ValueError: the file is damaged, requires code, is not a PyTorch checkpoint, or contains
        several sets of weights or none named `key`.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    if path.is_dir():
        raise ValueError(f"{path} is a folder, not a PyTorch file")
    with path.open("rb") as file:
        try:
            start = file.read(512)
            file.seek(0)
            if start[8:9] == SAFETENSORS_START:
                if key is not None:
                    raise Refused(f"is a safetensors file, which has no set named {key!r}")
                return without_prefix(_read_safetensors(path), notes)
            is_zip = start.startswith(ZIP_MAGIC)
            if not is_zip:
                _refuse_other_kinds(start)
            content = _read_zip(file) if is_zip else _read_mapped(file)
            return without_prefix(_state_dict(content, key), notes)
        except Refused as error:
            raise ValueError(f"{path}: {error}") from None
        except DAMAGE as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise ValueError(f"{path} is damaged or not a PyTorch file ({reason})") from None


def _read_safetensors(path):
    try:
        arrays = load_file(path)
    except SafetensorError as error:
        raise Refused(f"is damaged or not a safetensors file ({str(error)!a})") from None
    except AttributeError as error:
        raise Refused(f"contains arrays of a type that NumPy does not support ({error})") from None
    if not arrays:
        raise Refused("contains no arrays")
    return arrays


def _read_zip(file):
    with zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if name.endswith("data.pkl")]
        if not names:
            raise Refused("is a zip archive, but not from torch.save (no data.pkl)")
        root = names[0].removesuffix("data.pkl")
        order = "<"
        if f"{root}byteorder" in archive.namelist():
            order = BYTE_ORDERS[archive.read(_entry(archive, f"{root}byteorder"))]
        storages: dict[str, Storage] = {}

        def storage(pid):
            dtype, key, _, count = pid
            if key not in storages:
                entry = _entry(archive, f"{root}data/{key}")
                if entry.file_size != count * dtype.itemsize:
                    raise Refused(f"is damaged: storage {key} does not have {count} entries")
                data = np.frombuffer(archive.read(entry), dtype.newbyteorder(order))
                storages[key] = Storage(dtype, count, data.astype(dtype, copy=False))
            return storages[key]

        with archive.open(_entry(archive, names[0])) as pickled:
            return Unpickler(pickled, storage).load()


def _entry(archive, name):
    entry = archive.getinfo(name)
    if entry.compress_type != zipfile.ZIP_STORED:
        raise Refused("is damaged or was repacked: torch.save does not compress")
    return entry


def _read_mapped(file):
    # file.read would allocate a damaged length; reading a memory map returns only existing bytes.
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        return _read_legacy(mapped)


def _read_legacy(file):
    storages: dict[str, Storage] = {}

    def storage(pid):
        dtype, key, _, count, view = pid
        root = storages.setdefault(key, Storage(dtype, count))
        return root if view is None else StorageView(root, *view[1:])

    def load():
        return Unpickler(file, storage).load()

    if load() != LEGACY_MAGIC or load() != LEGACY_PROTOCOL:
        raise Refused("is not a PyTorch file")
    order = "<" if load()["little_endian"] else ">"
    content, keys = load(), load()
    for key in keys:
        _fill(storages[key], file, order)
    return content


def _fill(storage, file, order):
    header = file.read(8)
    (count,) = struct.unpack(f"{order}q", header)
    if count != storage.count:
        raise Refused(f"is damaged: a storage has {count} of {storage.count} entries")
    data = file.read(count * storage.dtype.itemsize)
    if len(data) != count * storage.dtype.itemsize:
        raise Refused("is truncated")
    storage.data = np.frombuffer(data, storage.dtype.newbyteorder(order)).astype(storage.dtype)


def _refuse_other_kinds(start):
    if not start:
        raise Refused("is empty")
    if start.lstrip()[:1] == b"<":
        raise Refused("is a web page, not a checkpoint; download it again in a browser")
    if start[257:262] == b"ustar":
        raise Refused("is a tar archive; unpack it, or save it again with torch 0.2 or later")
    if start[:1] != pickle.PROTO:
        raise Refused("is not a PyTorch file (neither a zip archive nor a pickle)")


def _state_dict(content, key):
    """The arrays of the mapping that is or contains the state dict."""
    if isinstance(content, Scripted):
        content = content.tensors()
    if not isinstance(content, Mapping):
        raise Refused(f"contains a {type(content).__name__}, not a state dict")
    if key is not None:
        found = _named(content, key)
        if found is None:
            raise Refused(f"contains no weights named {key!r}{_contents(content)}")
        return _state_dict(found, None)
    if isinstance(content.get(WRAPPED), Mapping):
        return _state_dict(content[WRAPPED], None)
    inner = [name for name, value in content.items() if _count_tensors(value)]
    # Checkpoints store single numbers next to a state dict.
    if _count_tensors(content) >= max((_count_tensors(content[name]) for name in inner), default=1):
        return {name: value.array() for name, value in content.items() if isinstance(value, Tensor)}
    inner = inner or [name for name, value in content.items() if _holds_weights(name, value)]
    if len(inner) != 1:
        raise Refused(f"contains no state dict named {WRAPPED!r}{_contents(content)}")
    return _state_dict(content[inner[0]], None)


def _named(content, key):
    """The first mapping with that name at any depth; None if there is none."""
    if isinstance(content.get(key), (Mapping, Scripted)):
        return content[key]
    inner = (_named(value, key) for value in content.values() if isinstance(value, Mapping))
    return next((found for found in inner if found is not None), None)


def _contents(content):
    names = list(_sets(content))
    choice = "; choose one by name (--key)" if len(names) > 1 else ""
    return f"; it contains {', '.join(names)}{choice}" if names else ""


def _sets(content):
    """The names of all sets of weights at any depth."""
    for name, value in content.items():
        if _holds_weights(name, value):
            yield from [str(name)] if _count_tensors(value) else _sets(value)


def _holds_weights(name, value):
    """Whether it contains tensors at any depth, other than an optimiser's."""
    if not isinstance(value, Mapping) or str(name).startswith(("optim", "sched")):
        return False
    return bool(_count_tensors(value)) or any(_holds_weights(*item) for item in value.items())


def _count_tensors(value):
    tensors = value.values() if isinstance(value, Mapping) else ()
    return sum(isinstance(one, Tensor) for one in tensors)


def without_prefix(arrays: Mapping[str, Any], notes: list[str] | None = None) -> dict[str, Any]:
    """Arrays by key without common wrapper prefixes.

    Args:
      arrays: arrays by key.
      notes: list to which a line is appended for each removed prefix.
    """
    for prefix in PREFIXES:
        if arrays and all(key.startswith(prefix) for key in arrays):
            if notes is not None:
                notes.append(f"removed {prefix!r} from every key")
            inner = {key.removeprefix(prefix): array for key, array in arrays.items()}
            return without_prefix(inner, notes)
    return dict(arrays)
