"""PyTorch files are read bit for bit, without running code from them."""

import argparse
import collections
import datetime
import io
import pathlib
import pickle
import random
import re
import tarfile
import zipfile

import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.weights import torch_writer
from tests.weights.torch_writer import STORAGES, Global, Scripted, State, Tensor
from vfi_jax.weights import read_torch, unpickle

FORMATS = {"zip": torch_writer.save_zip, "legacy": torch_writer.save_legacy}


@pytest.fixture(params=FORMATS)
def save(request, tmp_path):
    def save(content):
        FORMATS[request.param](tmp_path / "file.pth", content)
        return tmp_path / "file.pth"

    return save


@pytest.mark.parametrize("dtype", STORAGES, ids=str)
def test_every_type_is_read_bit_for_bit(save, dtype):
    data = np.random.default_rng(0).integers(0, 2, (3, 4, 2)).astype(dtype)
    read = read_torch(save(collections.OrderedDict(weight=Tensor(data))))
    assert list(read) == ["weight"]
    assert read["weight"].dtype == dtype
    np.testing.assert_array_equal(read["weight"], data)


def test_views_of_one_storage_keep_their_offsets_and_strides(save):
    data = np.arange(24, dtype=np.float32)
    read = read_torch(
        save(
            {
                "transposed": Tensor(data, shape=(4, 6), strides=(1, 4)),
                "tail": Tensor(data, offset=20, shape=(4,), strides=(1,)),
                "scalar": Tensor(data, offset=7, shape=(), strides=()),
                "expanded": Tensor(data, offset=3, shape=(2, 2), strides=(0, 1)),
                "empty": Tensor(data, shape=(0, 5), strides=(5, 1)),
            }
        )
    )
    np.testing.assert_array_equal(read["transposed"], data.reshape(6, 4).T)
    np.testing.assert_array_equal(read["tail"], [20, 21, 22, 23])
    assert read["scalar"] == 7
    np.testing.assert_array_equal(read["expanded"], [[3, 4], [3, 4]])
    assert read["empty"].shape == (0, 5)


def test_files_of_2017_from_a_gpu(tmp_path):
    data, old = np.arange(6, dtype=np.float32), {"rebuild": "_rebuild_tensor"}
    weight = Tensor(data, module="torch.cuda", **old)
    part = Tensor(data, offset=1, shape=(2,), strides=(1,), view=(3, 3), **old)
    torch_writer.save_legacy(tmp_path / "old.pth.tar", {"weight": weight, "part": part})
    read = read_torch(tmp_path / "old.pth.tar")
    np.testing.assert_array_equal(read["weight"], data)
    np.testing.assert_array_equal(read["part"], [4, 5])


def test_a_training_checkpoint_gives_its_state_dict(save):
    weight = Tensor(np.float32([1, 2]))
    digits = np.float64(31.5).tobytes().decode("latin1")
    best = Global("numpy.core.multiarray", "scalar", (Global("numpy", "dtype", ("f8",)), digits))
    content = {
        "epoch": 7,
        "best": best,
        "state_dict": collections.OrderedDict({"module.a": weight, "module.b": weight}),
        "grad_dict": {"a": weight},
        "optimizer": {"state": {0: {"exp_avg": weight}}},
    }
    assert list(read_torch(save(content))) == ["a", "b"]


def test_weights_under_any_one_name_are_found(save):
    inner = {"a": Tensor(np.float32([1]))}
    assert list(read_torch(save({"epoch": 7, "net": inner}))) == ["a"]
    beside = {"best": Tensor(np.float32(31)), "net": inner | {"b": Tensor(np.float32([2]))}}
    assert list(read_torch(save(beside))) == ["a", "b"]
    with pytest.raises(ValueError, match="it contains net, ema"):
        read_torch(save({"net": inner, "ema": inner}))


def test_a_set_of_weights_is_found_at_any_depth_and_chosen_by_name(save):
    one, two = ({"a": Tensor(np.float32([value]))} for value in (1, 2))
    assert list(read_torch(save({"model": {"state_dict": one}, "optimizer": {"state": two}}))) == [
        "a"
    ]
    both = save({"epoch": 3, "train": {"params": one, "params_ema": two}})
    assert read_torch(both, key="params_ema")["a"] == 2
    with pytest.raises(ValueError, match="named 'ema'; it contains params, params_ema; choose"):
        read_torch(both, key="ema")
    with pytest.raises(ValueError, match=r"it contains params, params_ema; choose one .*--key"):
        read_torch(save({"params": one, "params_ema": two}))


def test_common_prefixes_are_removed_and_reported(save):
    weight, notes = Tensor(np.float32([1])), []
    path = save({f"module._orig_mod.net.{key}": weight for key in "ab"})
    assert list(read_torch(path, notes=notes)) == ["a", "b"]
    assert notes == [
        f"removed {prefix!r} from every key" for prefix in ("module.", "_orig_mod.", "net.")
    ]


def test_settings_next_to_the_weights_are_ignored(tmp_path):
    """Made by pickle itself, as PyTorch pickles what is no tensor."""
    settings = {
        "args": argparse.Namespace(lr=1e-4, out=pathlib.Path("a/b")),
        "when": datetime.datetime(2024, 5, 6, tzinfo=datetime.UTC),
        "losses": np.arange(6.0).reshape(2, 3),
        "best": np.float64(3.5),
        "seen": {1, 2},
        "counts": collections.defaultdict(list, {"a": [1]}),
        "masked": np.ma.array([1.0, 2.0], mask=[False, True]),
        "random": (np.random.default_rng(0), np.random.RandomState(0), random.Random(0), range(3)),
    }
    storages = {}
    for protocol in (2, 4):
        file = io.BytesIO(pickle.dumps(settings, protocol))
        read = unpickle.Unpickler(file, storages.__getitem__).load()
        assert isinstance(read["args"], unpickle.Inert)
        assert isinstance(read["losses"], unpickle.Inert)
        assert isinstance(read["random"][0], unpickle.Inert)
        assert read["best"] == 3.5
        assert read["counts"] == {"a": [1]}


def test_module_is_removed_only_as_a_common_prefix(save):
    weight = Tensor(np.float32([1]))
    kept = {"moduleConv1.0.weight": weight, "module.b": weight}
    assert list(read_torch(save(kept))) == list(kept)


def test_a_scripted_model_is_read_without_running_its_code(tmp_path):
    weight, bias = np.arange(6, dtype=np.float16).reshape(2, 3), np.float32([1, 2])
    conv = {"weight": Tensor(weight), "bias": Tensor(bias), "training": False, "padding": "same"}
    sizes = Global("torch.jit._pickle", "build_intlist", ([3, 3],))
    inner = Scripted("Sequential", {"0": Scripted("Conv2d", {**conv, "kernel_size": sizes})})
    model = Scripted("Model", {"scale": 0.5, "_convs": inner, "mean": Tensor(bias)})
    torch_writer.save_zip(tmp_path / "model.pt", model, root="model")
    read = read_torch(tmp_path / "model.pt")
    assert sorted(read) == ["_convs.0.bias", "_convs.0.weight", "mean"]
    assert read["_convs.0.weight"].dtype == np.float16
    np.testing.assert_array_equal(read["_convs.0.weight"], weight)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Scripted("Model", [1]), "a module with a custom state"),
        (Scripted("Model", {"training": False}), "no state dict"),
        (State(Tensor(np.float32([1])), {"shape": (2**40,)}), "it sets the state of a Tensor"),
        (
            State(Global("torch.jit._pickle", "build_intlist"), {"x": 1}),
            "sets the state of a function",
        ),
    ],
)
def test_modules_with_custom_state_are_rejected(tmp_path, module, message):
    torch_writer.save_zip(tmp_path / "model.pt", {"weight": module})
    if isinstance(module, Scripted):
        torch_writer.save_zip(tmp_path / "model.pt", module)
    with pytest.raises(ValueError, match=message):
        read_torch(tmp_path / "model.pt")


def test_modules_that_share_others_over_and_over_do_not_hang():
    model = unpickle.Scripted()
    for _ in range(60):
        outer = unpickle.Scripted()
        outer.attributes = {"a": model, "b": model}
        model = outer
    with pytest.raises(ValueError, match="nested endlessly"):
        model.tensors()
    model.attributes = {"itself": model}
    with pytest.raises(ValueError, match="nested endlessly"):
        model.tensors()


def test_safetensors_are_read_bit_for_bit_and_truncated_files_rejected(tmp_path):
    path = tmp_path / "model.safetensors"
    arrays = {
        "module.conv.weight": np.arange(6, dtype=np.float16).reshape(2, 3),
        "module.conv.bias": np.asarray([1.5, -2], jnp.bfloat16),
    }
    save_file(arrays, path)
    read = read_torch(path)
    assert sorted(read) == ["conv.bias", "conv.weight"]
    for key, array in read.items():
        assert array.dtype == arrays[f"module.{key}"].dtype
        np.testing.assert_array_equal(array, arrays[f"module.{key}"])
    whole = path.read_bytes()
    for length in (9, 40, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="damaged or not a safetensors file"):
            read_torch(path)
    save_file({}, path)
    with pytest.raises(ValueError, match="contains no arrays"):
        read_torch(path)


@pytest.mark.parametrize(
    "name", [("os", "system"), ("builtins", "eval"), ("torch", "load"), ("numpy", "load")]
)
def test_any_other_global_is_rejected_by_name(save, name):
    path = save({"weight": Tensor(np.float32([1])), "evil": Global(*name, ("touch evil",))})
    with pytest.raises(ValueError, match=f"refused: it would run {re.escape('.'.join(name))}"):
        read_torch(path)


def test_a_tensor_outside_its_storage_is_rejected(save):
    for bad in (
        Tensor(np.zeros(4, np.float32), offset=2, shape=(3,), strides=(1,)),
        Tensor(np.zeros(4, np.float32), offset=-1, shape=(1,), strides=(1,)),
        Tensor(np.zeros(4, np.float32), offset=3, shape=(2,), strides=(-1,)),
        Tensor(np.zeros(4, np.float32), shape=(2**20, 2**20), strides=(0, 0)),
    ):
        with pytest.raises(ValueError, match="is damaged"):
            read_torch(save({"weight": bad}))


def test_a_truncated_file_is_one_clear_error(save):
    path = save({"weight": Tensor(np.arange(50, dtype=np.float32))})
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"file\.pth") as caught:
            read_torch(path)
        assert "\n" not in str(caught.value)


def test_a_flipped_byte_of_an_archive_is_detected(tmp_path):
    path = tmp_path / "file.pth"
    torch_writer.save_zip(path, {"weight": Tensor(np.full(1000, 0.5, np.float32))})
    content = bytearray(path.read_bytes())
    content[content.index(np.float32(0.5).tobytes() * 9) + 100] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        read_torch(path)


def _zip_without_a_pickle():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return file.getvalue()


def _tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("storages"))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a PyTorch file"),
        (b"<!DOCTYPE html><html>quota exceeded</html>", "web page"),
        (_zip_without_a_pickle(), "no data.pkl"),
        (_tar(), "tar archive"),
        (pickle.dumps({"a": 1}, 2), "not a PyTorch file"),
        (b"\x80\x02K\x01r\xff\xff\xff\x7f.", "not a PyTorch file"),  # a memo of 2^31 entries
        (pickle.dumps([1] * 10, 2)[:-3], "damaged or not a PyTorch file"),
    ],
)
def test_other_files_are_recognised(tmp_path, content, message):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_torch(tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        read_torch(tmp_path / "absent")
