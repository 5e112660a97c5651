"""Weights in model hub format and in object stores."""

import json
import subprocess
import sys

import fsspec
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from safetensors.numpy import load_file

from tests import support
from tests.training import stand_in_store
from tests.weights.test_library import NAME, assert_same
from vfi_jax import registry, weights
from vfi_jax.weights import hub_folder, orbax_folder


class FakeBucket(MemoryFileSystem):
    """A fake of the package that reads gs://."""

    protocol = ("gs", "gcs")
    store = {}  # noqa: RUF012  # the file system's own, as its base has it
    pseudo_dirs = [""]  # noqa: RUF012

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.replace("gs://", "memory://"))


@pytest.fixture
def bucket():
    stand_in_store.install(FakeBucket)
    yield FakeBucket.store
    FakeBucket.store.clear()
    FakeBucket.pseudo_dirs[:] = [""]


@pytest.fixture(scope="module")
def variables():
    return support.variables(registry.create(NAME))


def _front_matter(folder):
    start, front, _ = (folder / hub_folder.CARD).read_text().split("---\n")
    assert not start
    return front.splitlines()


def test_a_hub_folder_is_loaded_and_described(variables, tmp_path):
    folder = weights.save(
        tmp_path / "hub", NAME, variables, format="safetensors", licence="CC BY-NC-SA 4.0"
    )
    names = ["README.md", "config.json", "model.safetensors"]
    assert sorted(path.name for path in folder.iterdir()) == names
    model, loaded = weights.load(folder)
    assert model == registry.create(NAME)
    assert_same(loaded, variables)
    kernels = [key for key in load_file(folder / hub_folder.WEIGHTS) if key.endswith("kernel")]
    assert all(key.startswith("params.") for key in kernels)
    assert _front_matter(folder) == [
        "license: cc-by-nc-sa-4.0",
        "library_name: vfi_jax",
        "pipeline_tag: video-to-video",
        "tags:",
        *("- jax", "- flax", "- video-frame-interpolation"),
    ]


def test_a_licence_unknown_to_the_hub_keeps_its_name(variables, tmp_path):
    for licence, wanted in (
        ("of its own", ["license: other", 'license_name: "of its own"']),
        ("", []),
    ):
        folder = weights.save(
            tmp_path / "hub", NAME, variables, format="safetensors", licence=licence
        )
        assert [line for line in _front_matter(folder) if "license" in line] == wanted


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
def test_a_hub_s_halves_are_loaded_as_float32(variables, tmp_path, dtype):
    weights.save(tmp_path / "half", NAME, variables, format="safetensors", dtype=dtype)
    loaded = weights.load(tmp_path / "half")[1]
    assert_same(loaded, jax.tree.map(lambda x: x.astype(dtype).astype(np.float32), variables))


def test_damaged_and_foreign_folders_are_distinguished(variables, tmp_path):
    folder = weights.save(tmp_path / "hub", NAME, variables, format="safetensors")
    (folder / hub_folder.CARD).write_text("Edited.")
    (folder / ".gitattributes").touch()
    weights.verify(folder)
    content = bytearray((folder / hub_folder.WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / hub_folder.WEIGHTS).write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.safetensors is damaged; store it again"):
        weights.load(folder)
    (folder / hub_folder.DESCRIPTION).write_text(json.dumps({"architectures": ["Other"]}))
    with pytest.raises(ValueError, match="was not written by vfi-jax"):
        weights.load(folder)
    with pytest.raises(ValueError, match="unknown format 'safetensor'; did you mean safetensors"):
        weights.save(tmp_path / "a", NAME, variables, format="safetensor")


@pytest.mark.parametrize("format", ["orbax", "safetensors"])
def test_weights_are_stored_and_loaded_in_object_stores(variables, bucket, format):
    place = "gs://bucket/models/small"
    assert str(weights.save(place, NAME, variables, format=format)) == place
    description = list(bucket)[-1]
    last = (orbax_folder if format == "orbax" else hub_folder).DESCRIPTION
    assert description.endswith(f"/small/{last}")  # complete only then
    weights.save(place, NAME, jax.tree.map(lambda x: 2 * x, variables), format=format)
    model, loaded = weights.load(place)
    assert model == registry.create(NAME)
    assert_same(loaded, jax.tree.map(lambda x: 2 * x, variables))
    assert str(weights.verify(place)) == place
    del bucket[description]
    with pytest.raises(ValueError, match="is not a checkpoint"):
        weights.load(place)
    with pytest.raises(ValueError, match="exists and is not a checkpoint"):
        weights.save(place, NAME, variables, format=format)
    with pytest.raises(FileNotFoundError, match="no file or folder gs://bucket/none"):
        weights.load("gs://bucket/none")


def test_a_file_in_an_object_store_is_loaded(variables, bucket, tmp_path):
    weights.save(tmp_path / "hub", NAME, variables, format="safetensors")
    bucket_file = fsspec.filesystem("gcs", finalize_on_close=True)
    bucket_file.put(str(tmp_path / "hub" / hub_folder.WEIGHTS), "gs://bucket/a.safetensors")
    assert_same(weights.load("gs://bucket/a.safetensors", system=NAME)[1], variables)


def test_errors_of_object_stores_are_explained():
    with pytest.raises(ValueError, match="ftp://a/b cannot be opened; supported are gs://"):
        weights.load("ftp://a/b")
    program = """
import sys
sys.modules["huggingface_hub"] = None
import vfi_jax
vfi_jax.load("hf://user/name")
"""
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.stderr.splitlines()[-1] == (
        "ValueError: hf://user/name cannot be opened without huggingface_hub: "
        "pip install huggingface_hub"
    )
