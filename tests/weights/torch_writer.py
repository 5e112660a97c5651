"""Writes all formats of `torch.save` and `torch.jit.save` without torch."""

import collections
import dataclasses
import pickle
import struct
import zipfile

import jax.numpy as jnp
import numpy as np

from vfi_jax.weights.torch_file import LEGACY_MAGIC, LEGACY_PROTOCOL

STORAGES = {
    np.dtype(np.float32): "FloatStorage",
    np.dtype(np.float64): "DoubleStorage",
    np.dtype(np.float16): "HalfStorage",
    np.dtype(jnp.bfloat16): "BFloat16Storage",
    np.dtype(np.int64): "LongStorage",
    np.dtype(np.uint8): "ByteStorage",
    np.dtype(np.bool_): "BoolStorage",
}


@dataclasses.dataclass
class Tensor:
    """A view of a flat array, in entries; by default all of `data`, in its shape."""

    data: np.ndarray
    offset: int = 0
    shape: tuple = None
    strides: tuple = None
    rebuild: str = "_rebuild_tensor_v2"  # "_rebuild_tensor" until torch 0.3
    module: str = "torch"  # "torch.cuda" where legacy files were saved from a GPU
    view: tuple = None  # (first, count): of the storage, which is a view itself; legacy only

    def __post_init__(self):
        if self.shape is None:
            self.shape = self.data.shape
            self.strides = tuple(n // self.data.itemsize for n in self.data.strides)


@dataclasses.dataclass
class Global:
    """What pickles call `module.name`, or a call of it with `args`."""

    module: str
    name: str
    args: tuple = None


@dataclasses.dataclass
class Scripted:
    """A TorchScript module of a class that the archive's own code defines."""

    name: str
    attributes: dict | list


@dataclasses.dataclass
class State:
    """Something that a pickle gives a state, once it is there."""

    value: object
    state: dict


@dataclasses.dataclass
class Persistent:
    """Something outside the pickle."""

    pid: tuple


def save_zip(path, content, *, root="archive"):
    """The format of PyTorch 1.6 and later."""
    storages = []
    pickled = _pickle(content, storages, legacy=False)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{root}/data.pkl", pickled)
        archive.writestr(f"{root}/byteorder", "little")
        for number, data in enumerate(storages):
            archive.writestr(f"{root}/data/{number}", data.tobytes())
        archive.writestr(f"{root}/version", "3\n")


def save_legacy(path, content):
    """The format before PyTorch 1.6."""
    storages = []
    pickled = _pickle(content, storages, legacy=True)
    system = {"protocol_version": LEGACY_PROTOCOL, "little_endian": True, "type_sizes": {}}
    with open(path, "wb") as file:
        for part in (LEGACY_MAGIC, LEGACY_PROTOCOL, system):
            file.write(pickle.dumps(part, 2))
        file.write(pickled)
        file.write(pickle.dumps([str(number) for number in range(len(storages))], 2))
        for data in storages:
            file.write(struct.pack("<q", data.size) + data.tobytes())


def _pickle(content, storages, *, legacy):
    return b"\x80\x02" + _ops(_plain(content, storages, legacy)) + b"."


def _plain(value, storages, legacy):
    """The same content with tensors as calls on storages."""
    if isinstance(value, dict):
        items = ((key, _plain(item, storages, legacy)) for key, item in value.items())
        return type(value)(items)
    if isinstance(value, Scripted):
        return Scripted(value.name, _plain(value.attributes, storages, legacy))
    if isinstance(value, State):
        return State(_plain(value.value, storages, legacy), value.state)
    if not isinstance(value, Tensor):
        return value
    known = [number for number, data in enumerate(storages) if data is value.data]
    if not known:
        storages.append(value.data)
    number = known[0] if known else len(storages) - 1
    kind = Global(value.module, STORAGES[value.data.dtype])
    pid = ("storage", kind, str(number), "cpu", value.data.size, *_view(value, legacy))
    args = (Persistent(pid), value.offset, tuple(value.shape), tuple(value.strides))
    if value.rebuild != "_rebuild_tensor":
        args = (*args, False, collections.OrderedDict())
    return Global("torch._utils", value.rebuild, args)


def _view(tensor, legacy):
    if not legacy:
        return ()
    return (tensor.view and ("key", *tensor.view),)


def _ops(value):
    """The pickle opcodes, protocol 2, that leave `value` on the stack."""
    if isinstance(value, Persistent):
        return _ops(value.pid) + pickle.BINPERSID
    if isinstance(value, Global):
        name = pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode()
        return name if value.args is None else name + _ops(value.args) + pickle.REDUCE
    if isinstance(value, Scripted):
        made = _ops(Global("__torch__.net", value.name)) + pickle.EMPTY_TUPLE + pickle.NEWOBJ
        return made + _ops(value.attributes) + pickle.BUILD
    if isinstance(value, State):
        return _ops(value.value) + _ops(value.state) + pickle.BUILD
    if isinstance(value, tuple):
        return pickle.MARK + b"".join(map(_ops, value)) + pickle.TUPLE
    if isinstance(value, dict):
        ordered = isinstance(value, collections.OrderedDict)
        start = _ops(Global("collections", "OrderedDict", ())) if ordered else pickle.EMPTY_DICT
        items = b"".join(_ops(key) + _ops(item) for key, item in value.items())
        return start + pickle.MARK + items + pickle.SETITEMS
    return pickle.dumps(value, 2)[2:-1]  # without PROTO and STOP
