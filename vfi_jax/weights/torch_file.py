"""Reading the arrays of a PyTorch file, without PyTorch and without running any of its code.

Two formats: a zip archive (PyTorch 1.6 and later) and, before that, five pickles and raw storages
in a row. In both a pickle describes tensors as views of storages that lie beside it.
"""

import dataclasses
import math
import pickle
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np

ZIP_MAGIC = b"PK\x03\x04"
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # torch.serialization.MAGIC_NUMBER
LEGACY_PROTOCOL = 1001
MAX_ENTRIES = 2**31  # of one tensor; a view of stride 0 could ask for more than any memory holds
WRAPPED = "state_dict"  # where training scripts put the weights beside epochs and optimisers
DATA_PARALLEL = "module."  # put before every key by torch.nn.DataParallel

DTYPES = {
    "FloatStorage": np.float32,
    "DoubleStorage": np.float64,
    "HalfStorage": np.float16,
    "BFloat16Storage": ml_dtypes.bfloat16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ShortStorage": np.int16,
    "CharStorage": np.int8,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
}


def read_torch(path: str | Path) -> dict[str, np.ndarray]:
    """The state dict in a file that `torch.save` wrote (.pth, .pkl, .pytorch, .pth.tar).

    A state dict inside a training checkpoint is found by itself, and "module." is taken off where
    it starts every key. Only arrays and plain containers are built: a file that asks for anything
    else is refused.

    Args:
      path: the file, in PyTorch's zip or legacy format.

    Returns:
      Arrays by key, in the file's order and of the file's types.

    Raises:
      FileNotFoundError: no such file.
      ValueError: the file is damaged, asks for code, or is no PyTorch checkpoint.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(512)
            file.seek(0)
            is_zip = start.startswith(ZIP_MAGIC)
            content = _read_zip(file) if is_zip else _read_legacy(file, start)
        return _without_prefix(_state_dict(content))
    except _Refused as error:
        raise ValueError(f"{path}: {error}") from None
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise ValueError(f"{path} is a folder, not a PyTorch file") from None
    # What a pickle or an archive of random bytes can raise.
    except (
        pickle.UnpicklingError,
        zipfile.BadZipFile,
        EOFError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        MemoryError,
        RuntimeError,
        struct.error,
        zlib.error,
    ) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ValueError(f"{path} is damaged or no PyTorch file ({reason})") from None


class _Refused(ValueError):
    """A fault with a message of its own."""


@dataclasses.dataclass
class _Storage:
    """The numbers behind tensors; in the legacy format they come after the pickle."""

    dtype: np.dtype
    count: int
    data: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class _StorageView:
    """Some entries of a storage, as a storage: PyTorch before 1.0 has such."""

    root: _Storage
    start: int
    count: int

    @property
    def dtype(self) -> np.dtype:
        """Of the entries."""
        return self.root.dtype

    @property
    def data(self) -> np.ndarray | None:
        """The entries, once they have been read."""
        data = self.root.data
        return None if data is None else data[self.start : self.start + self.count]


@dataclasses.dataclass(frozen=True)
class _Tensor:
    """A view of a storage, in entries."""

    storage: _Storage | _StorageView
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        """A contiguous copy of the view."""
        data, dtype = self.storage.data, self.storage.dtype
        if data is None:
            raise _Refused("is truncated: the numbers of a tensor are missing")
        if math.prod(self.shape) == 0:
            return np.zeros(self.shape, dtype)
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        if min(self.offset, *self.shape, *self.strides, 0) < 0 or last >= data.size:
            raise _Refused("is damaged: a tensor reaches outside its storage")
        if math.prod(self.shape) > MAX_ENTRIES:
            raise _Refused(f"is damaged: a tensor of {math.prod(self.shape)} entries")
        strides = [stride * dtype.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(data[self.offset :], self.shape, strides).copy()


class _Unpickler(pickle.Unpickler):
    """Builds tensors, containers and numbers; refuses every other global."""

    def __init__(self, file: BinaryIO, storage: Callable[[tuple], _Storage]):
        super().__init__(file, encoding="latin1")  # Python 2 wrote some of these files
        self._storage = storage

    def find_class(self, module: str, name: str) -> Any:
        """What a pickle calls `module.name`, if it is among the few that are known to be safe."""
        if (module, name) in SAFE:
            return SAFE[module, name]
        if module in ("torch", "torch.cuda") and name in DTYPES:
            return np.dtype(DTYPES[name])
        raise _Refused(
            f"refused: it asks to run {module}.{name}; only tensors and plain containers are read"
        )

    def persistent_load(self, pid: Any) -> _Storage:
        """The storage that a persistent id names."""
        kind, *rest = pid
        if kind != "storage":
            raise _Refused(f"refused: it holds a {kind!r}; only tensors are read")
        return self._storage(tuple(rest))


def _rebuild_tensor(storage, offset, shape, strides, *_):
    return _Tensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, strides)))


def _rebuild_parameter(tensor, *_):
    return tensor


class _NumpyDtype:
    """A pickled `numpy.dtype`: its name, then its byte order as state."""

    def __init__(self, name, *_):
        self.dtype = np.dtype(name)

    def __setstate__(self, state):
        self.dtype = self.dtype.newbyteorder(state[1])


def _numpy_scalar(kind, data):
    if kind.dtype.hasobject:
        raise _Refused("refused: it holds a Python object inside a NumPy scalar")
    return np.frombuffer(_to_bytes(data), kind.dtype)[0]


def _to_bytes(text, *_):
    return text.encode("latin1") if isinstance(text, str) else text


SAFE: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "Size"): tuple,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("numpy", "dtype"): _NumpyDtype,
    ("numpy.core.multiarray", "scalar"): _numpy_scalar,
    ("numpy._core.multiarray", "scalar"): _numpy_scalar,
    ("_codecs", "encode"): _to_bytes,
}


def _read_zip(file):
    with zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if name.endswith("data.pkl")]
        if not names:
            raise _Refused("is a zip archive, but not one that torch.save wrote (no data.pkl)")
        root = names[0].removesuffix("data.pkl")
        order = ">" if _entry(archive, f"{root}byteorder") == b"big" else "<"
        storages: dict[str, _Storage] = {}

        def storage(pid):
            dtype, key, _, count = pid
            if key not in storages:
                data = np.frombuffer(archive.read(f"{root}data/{key}"), dtype.newbyteorder(order))
                if data.size != count:
                    raise _Refused(f"is damaged: storage {key} has {data.size} of {count} entries")
                storages[key] = _Storage(dtype, count, data.astype(dtype, copy=False))
            return storages[key]

        with archive.open(names[0]) as pickled:
            return _Unpickler(pickled, storage).load()


def _entry(archive, name):
    return archive.read(name) if name in archive.namelist() else b""


def _read_legacy(file, start):
    _refuse_other_kinds(start)
    storages: dict[str, _Storage] = {}

    def storage(pid):
        dtype, key, _, count, view = pid
        root = storages.setdefault(key, _Storage(dtype, count))
        return root if view is None else _StorageView(root, *view[1:])

    def load():
        return _Unpickler(file, storage).load()

    if load() != LEGACY_MAGIC or load() != LEGACY_PROTOCOL:
        raise _Refused("is no PyTorch file")
    order = "<" if load()["little_endian"] else ">"
    content, keys = load(), load()
    for key in keys:
        _fill(storages[key], file, order)
    return content


def _fill(storage, file, order):
    header = file.read(8)
    (count,) = struct.unpack(f"{order}q", header)
    if count != storage.count:
        raise _Refused(f"is damaged: a storage has {count} of {storage.count} entries")
    data = file.read(count * storage.dtype.itemsize)
    if len(data) != count * storage.dtype.itemsize:
        raise _Refused("is truncated")
    storage.data = np.frombuffer(data, storage.dtype.newbyteorder(order)).astype(storage.dtype)


def _refuse_other_kinds(start):
    if not start:
        raise _Refused("is empty")
    if start.lstrip()[:1] == b"<":
        raise _Refused("is a web page, not a checkpoint; download it again in a browser")
    if start[257:262] == b"ustar":
        raise _Refused("is a tar archive; unpack it, or save it again with torch 0.2 or later")
    if start[:1] != pickle.PROTO:
        raise _Refused("is no PyTorch file (neither a zip archive nor a pickle)")


def _state_dict(content):
    """The arrays of the mapping that is, or that holds, the state dict."""
    if not isinstance(content, Mapping):
        raise _Refused(f"holds a {type(content).__name__}, not a state dict")
    if isinstance(content.get(WRAPPED), Mapping):
        return _state_dict(content[WRAPPED])
    arrays = {key: value.array() for key, value in content.items() if isinstance(value, _Tensor)}
    if arrays:
        return arrays
    inner = [key for key, value in content.items() if _has_tensors(value)]
    if len(inner) != 1:
        found = f"; it holds {', '.join(map(str, inner))}" if inner else ""
        raise _Refused(f"holds no state dict by the name {WRAPPED!r}{found}")
    return _state_dict(content[inner[0]])


def _has_tensors(value):
    return isinstance(value, Mapping) and any(isinstance(v, _Tensor) for v in value.values())


def _without_prefix(arrays):
    if not all(key.startswith(DATA_PARALLEL) for key in arrays):
        return arrays
    return {key.removeprefix(DATA_PARALLEL): array for key, array in arrays.items()}
