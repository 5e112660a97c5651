"""Restricted unpickler for PyTorch files that never runs code from a file."""

import dataclasses
import math
import pickle
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, BinaryIO

import jax.numpy as jnp
import numpy as np

MAX_ATTRIBUTES = 2**20  # attributes of a model; shared modules count at every occurrence
MAX_PATH = 2**12  # characters of a tensor's name; detects endlessly nested modules
MAX_EXPANDED = 2**24  # entries; a view with stride 0 could exceed any memory

DTYPES: dict[str, Any] = {
    "FloatStorage": np.float32,
    "DoubleStorage": np.float64,
    "HalfStorage": np.float16,
    "BFloat16Storage": jnp.bfloat16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ShortStorage": np.int16,
    "CharStorage": np.int8,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
}


class Refused(ValueError):
    """A fault with its own message."""


@dataclasses.dataclass
class Storage:
    """The data of tensors; in the legacy format it follows the pickle."""

    dtype: np.dtype
    count: int
    data: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class StorageView:
    """A view of a storage as a storage, used by PyTorch before 1.0."""

    root: Storage
    start: int
    count: int

    @property
    def dtype(self) -> np.dtype:
        """Type of the entries."""
        return self.root.dtype

    @property
    def data(self) -> np.ndarray | None:
        """The entries, after they were read."""
        data = self.root.data
        return None if data is None else data[self.start : self.start + self.count]


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A view of a storage, in entries."""

    storage: Storage | StorageView
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        """A contiguous copy of the view."""
        data, dtype = self.storage.data, self.storage.dtype
        if data is None:
            raise Refused("is truncated: the data of a tensor is missing")
        if math.prod(self.shape) == 0:
            return np.zeros(self.shape, dtype)
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        if min(self.offset, *self.shape, *self.strides, 0) < 0 or last >= data.size:
            raise Refused("is damaged: a tensor reaches outside its storage")
        if math.prod(self.shape) > max(data.size, MAX_EXPANDED):
            raise Refused(f"is damaged: a tensor of {math.prod(self.shape)} entries")
        strides = [stride * dtype.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(data[self.offset :], self.shape, strides).copy()


class Scripted:
    """A module in a TorchScript archive: its attributes by name, without code."""

    attributes: Mapping[str, Any] = MappingProxyType({})

    def __setstate__(self, attributes: Any):
        if not isinstance(attributes, dict):
            raise Refused("contains a module with a custom state; only attributes are supported")
        self.attributes = attributes

    def tensors(self) -> dict[str, Tensor]:
        """Its state dict: all tensors by attribute path."""
        found: dict[str, Tensor] = {}
        waiting = deque([("", self)])
        left = MAX_ATTRIBUTES
        while waiting:
            prefix, module = waiting.popleft()
            left -= 1 + len(module.attributes)
            if left < 0 or len(prefix) > MAX_PATH:
                raise Refused("is damaged: its modules are nested endlessly")
            for name, value in module.attributes.items():
                if isinstance(value, Tensor):
                    found[f"{prefix}{name}"] = value
                elif isinstance(value, Scripted):
                    waiting.append((f"{prefix}{name}.", value))
        return found


class Inert:
    """Placeholder for an object next to the weights, such as settings; does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> "Inert":
        """Ignore the arguments."""
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any):
        pass

    def __setstate__(self, _: Any) -> None:
        pass

    def __setitem__(self, *_: Any) -> None:
        pass

    def append(self, _: Any) -> None:
        """Ignore an item."""

    def extend(self, _: Any) -> None:
        """Forgets items."""

    def add(self, _: Any) -> None:
        """Ignore an item."""


# The C unpickler allocates memo entries up to a file's largest index: gigabytes from a few bytes.
# The Python one uses a dict and is fast enough for pickles without array data; it allocates in
# advance for bytearrays only, which PyTorch does not write.
class Unpickler(pickle._Unpickler):  # type: ignore[name-defined]
    """Builds tensors, containers and numbers; rejects every other global."""

    def load_build(self) -> None:
        """Set the state of allowed objects only, because a state could redirect a tensor."""
        owner = self.stack[-2]  # type: ignore[attr-defined]
        if not isinstance(owner, OrderedDict | Scripted | Inert | _NumpyDtype):
            raise Refused(f"refused: it sets the state of a {type(owner).__name__}")
        super().load_build()  # type: ignore[misc]

    dispatch = {  # noqa: RUF012
        **pickle._Unpickler.dispatch,  # type: ignore[attr-defined]
        pickle.BUILD[0]: load_build,  # type: ignore[dict-item]
    }
    del dispatch[pickle.BYTEARRAY8[0]]

    def __init__(self, file: BinaryIO, storage: Callable[[tuple], Storage]):
        super().__init__(file, encoding="latin1")  # some of these files were written by Python 2
        self._storage = storage

    def find_class(self, module: str, name: str) -> Any:
        """The object `module.name` of a pickle, if it is in the list of safe ones."""
        if (module, name) in SAFE:
            return SAFE[module, name]
        if module in ("torch", "torch.cuda") and name in DTYPES:
            return np.dtype(DTYPES[name])
        root = module.split(".")[0]
        if root == "__torch__":
            return Scripted
        if name in INERT.get(module, ()) or root in INERT_PACKAGES:
            return Inert
        raise Refused(
            f"refused: it would run {module}.{name}; only tensors and plain containers are read"
        )

    def persistent_load(self, pid: Any) -> Storage:
        """The storage of a persistent id."""
        kind, *rest = pid
        if kind != "storage":
            raise Refused(f"refused: it contains a {kind!r}; only tensors are read")
        return self._storage(tuple(rest))


def _rebuild_tensor(storage, offset, shape, strides, *_):
    return Tensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, strides)))


class _NumpyDtype:
    """A pickled `numpy.dtype`: its name, then its byte order as state."""

    def __init__(self, name, *_):
        self.dtype = np.dtype(name)

    def __setstate__(self, state):
        self.dtype = self.dtype.newbyteorder(state[1])


def _numpy_scalar(kind, data):
    if kind.dtype.hasobject:
        raise Refused("refused: it contains a Python object inside a NumPy scalar")
    return np.frombuffer(_to_bytes(data), kind.dtype)[0]


def _first(value, *_):
    return value


def _empty(*_):
    return OrderedDict()


def _to_bytes(text, *_):
    return text.encode("latin1") if isinstance(text, str) else text


SAFE: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): _empty,
    ("torch", "Size"): tuple,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _first,
    # Typed attributes of a scripted module besides tensors.
    ("torch", "device"): _first,
    ("torch.jit._pickle", "build_intlist"): _first,
    ("torch.jit._pickle", "build_doublelist"): _first,
    ("torch.jit._pickle", "build_boollist"): _first,
    ("torch.jit._pickle", "build_tensorlist"): _first,
    ("torch.jit._pickle", "restore_type_tag"): _first,
    ("numpy", "dtype"): _NumpyDtype,
    ("numpy.core.multiarray", "scalar"): _numpy_scalar,
    ("numpy._core.multiarray", "scalar"): _numpy_scalar,
    ("_codecs", "encode"): _to_bytes,
}

# Objects that training scripts store next to the weights. They are replaced by an `Inert`.
_PATHS = ["Path", "PurePath", "PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath"]
_NUMPY = ["_reconstruct", "ndarray", "_frombuffer"]
INERT: dict[str, list[str]] = {
    "argparse": ["Namespace"],
    "types": ["SimpleNamespace"],
    "datetime": ["datetime", "date", "time", "timedelta", "timezone"],
    "pathlib": _PATHS,
    "pathlib._local": _PATHS,
    "collections": ["deque", "Counter"],
    "builtins": ["set", "frozenset", "complex", "slice", "range", "dict", "list", "int", "float"],
    "__builtin__": ["set", "frozenset", "complex", "slice", "xrange", "long", "dict", "list"],
    "uuid": ["UUID"],
    "decimal": ["Decimal"],
    "fractions": ["Fraction"],
    "numpy": _NUMPY,
    "numpy.core.multiarray": _NUMPY,
    "numpy._core.multiarray": _NUMPY,
    "numpy.core.numeric": _NUMPY,
    "numpy._core.numeric": _NUMPY,
    "numpy.ma": ["MaskedArray"],
    "numpy.ma.core": ["_mareconstruct", "MaskedArray"],
    "numpy.random._pickle": ["__generator_ctor", "__randomstate_ctor", "__bit_generator_ctor"],
    "numpy.random._mt19937": ["MT19937"],
    "numpy.random._pcg64": ["PCG64", "PCG64DXSM"],
    "numpy.random._philox": ["Philox"],
    "numpy.random._sfc64": ["SFC64"],
    "numpy.random.bit_generator": ["SeedSequence", "__pyx_unpickle_SeedSequence"],
    "random": ["Random"],
    "torch": [
        *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
        *("int8", "int16", "int32", "int64", "uint8", "bool"),
    ],
}
INERT_PACKAGES = {  # of settings and training logs
    *("addict", "easydict", "ml_collections", "munch", "omegaconf", "yacs"),
    *("lightning", "lightning_fabric", "mmcv", "mmengine", "pytorch_lightning"),
}
