"""Saved weights load bit for bit; errors are one clear line."""

import json
import shutil
import subprocess
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from flax.serialization import msgpack_serialize
from flax.traverse_util import flatten_dict
from safetensors.numpy import save_file

from tests import support
from tests.weights import torch_writer, upstream
from tests.weights.upstream import SMALL
from vfi_jax import registry, weights
from vfi_jax.weights import manifest, orbax_folder, places, plain

NAME = "voxel_flow/small"  # it has parameters and running statistics


@pytest.fixture(scope="module")
def variables():
    return support.variables(registry.create(NAME))


def assert_same(actual, desired):
    jax.tree.map(np.testing.assert_array_equal, actual, desired)


@pytest.mark.usefixtures("nothing_ships")
def test_saved_by_name_is_loaded_by_name(variables):
    folder = weights.save(NAME, NAME, variables, licence="MIT", source="a test")
    assert folder == places.home() / "weights/voxel_flow/small"
    model, loaded = weights.load(NAME, precision="default")
    assert model == registry.create(NAME, precision="default")
    assert_same(loaded, variables)
    assert {leaf.dtype for leaf in jax.tree.leaves(loaded)} == {jnp.dtype(jnp.float32)}
    assert weights.at_hand(NAME) == weights.verify(NAME) == folder
    assert weights.stored() == {NAME: folder}


def test_a_copied_folder_is_loaded_by_its_path(variables, tmp_path):
    folder = weights.save(tmp_path / "saved", NAME, variables)
    shutil.copytree(folder, tmp_path / "elsewhere/copy")
    model, loaded = weights.load(str(tmp_path / "elsewhere/copy"))
    assert model == registry.create(NAME)
    assert_same(loaded, variables)
    with pytest.raises(ValueError, match="contains weights of voxel_flow/small, not of rife"):
        weights.load(folder, system="rife")


def test_a_custom_config_round_trips(tmp_path):
    model = registry.create(SMALL, taps=9, widths=(4, 6, 8, 10, 12), dtype=jnp.bfloat16)
    variables = support.variables(model)
    folder = weights.save(tmp_path / "own", SMALL, variables, config=model.config)
    description = json.loads((folder / orbax_folder.DESCRIPTION).read_text())
    changed = {"taps": 9, "widths": [4, 6, 8, 10, 12], "dtype": {"dtype": "bfloat16"}}
    assert description["config"] == changed
    assert weights.load(folder)[0] == model


def test_stored_halves_are_loaded_as_float32(variables, tmp_path):
    folder = weights.save(tmp_path / "half", NAME, variables, dtype=jnp.float16)
    _, loaded = weights.load(folder)
    assert_same(loaded, jax.tree.map(lambda x: x.astype(np.float16).astype(np.float32), variables))


def test_the_manifest_is_what_sha256sum_reads(variables, tmp_path):
    if shutil.which("sha256sum") is None:
        pytest.skip("no sha256sum here")
    folder = weights.save(tmp_path / "saved", NAME, variables)
    subprocess.run(
        ["sha256sum", "--quiet", "--strict", "-c", manifest.MANIFEST], cwd=folder, check=True
    )


def test_any_flipped_byte_is_detected(variables, tmp_path):
    folder = weights.save(tmp_path / "saved", NAME, variables)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if not content:
            continue
        flipped = bytearray(content)
        flipped[len(flipped) // 2] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(ValueError, match="; store it again") as caught:
            weights.load(folder)
        assert "\n" not in str(caught.value)
        path.write_bytes(content)
    weights.load(folder)


def test_missing_and_unexpected_files_are_detected(variables, tmp_path):
    folder = weights.save(tmp_path / "saved", NAME, variables)
    (folder / "odd").touch()
    with pytest.raises(ValueError, match="odd is not in the manifest"):
        weights.load(folder)
    (folder / "odd").unlink()
    (folder / "variables/_METADATA").unlink()
    with pytest.raises(ValueError, match="variables/_METADATA is missing"):
        weights.verify(folder)


def test_system_files_in_a_checkpoint_are_ignored(variables, tmp_path):
    folder = weights.save(tmp_path / "saved", NAME, variables)
    for place in (folder, folder / "variables", folder / "variables/d"):
        for name in (".DS_Store", "._checkpoint.json", "Thumbs.db", "desktop.ini", ".nfs0001"):
            (place / name).touch()
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX/._x").touch()
    weights.load(folder)


def test_a_later_format_is_an_error(variables, tmp_path):
    folder = weights.save(tmp_path / "saved", NAME, variables)
    description = json.loads((folder / orbax_folder.DESCRIPTION).read_text())
    (folder / orbax_folder.DESCRIPTION).write_text(json.dumps(description | {"format": 2}))
    manifest.seal(folder)
    with pytest.raises(ValueError, match="format 2 and this version reads 1; update"):
        weights.load(folder)


def test_saving_again_replaces_and_leaves_nothing_behind(variables, tmp_path):
    for factor in (1, 2):
        weights.save(tmp_path / "saved", NAME, jax.tree.map(lambda x, f=factor: f * x, variables))
    assert_same(weights.load(tmp_path / "saved")[1], jax.tree.map(lambda x: 2 * x, variables))
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]


def test_a_failed_save_leaves_nothing_behind(variables, tmp_path, monkeypatch):
    def fail(_):
        raise OSError("disk full")

    monkeypatch.setattr(orbax_folder, "seal", fail)
    with pytest.raises(OSError, match="disk full"):
        weights.save(tmp_path / "saved", NAME, variables)
    assert not list(tmp_path.iterdir())


def test_an_interrupted_replacement_keeps_the_old_checkpoint(variables, tmp_path, monkeypatch):
    weights.save(tmp_path / "saved", NAME, variables)
    rename = Path.rename

    def interrupt(path, target):
        if path.suffix == ".partial":
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interrupt)
    with pytest.raises(KeyboardInterrupt):
        weights.save(tmp_path / "saved", NAME, jax.tree.map(lambda x: 2 * x, variables))
    assert_same(weights.load(tmp_path / "saved")[1], variables)
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]


def test_unused_weights_are_rejected(tmp_path):
    weights.save(
        tmp_path / "saved", "shared_pyramid", support.variables(registry.create("shared_pyramid"))
    )
    with pytest.raises(weights.ConversionError, match="unknown: flow/block/body2/bias"):
        weights.load(tmp_path / "saved", depth=2)


def test_other_folders_are_not_overwritten(variables, tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(ValueError, match="exists and is not a checkpoint"):
        weights.save(tmp_path / "photos", NAME, variables)


def test_variables_of_another_model_are_not_saved(variables, tmp_path):
    with pytest.raises(weights.ConversionError, match="do not fit voxel_flow: 36 of another shape"):
        weights.save(tmp_path / "saved", "voxel_flow", variables)
    with pytest.raises(weights.ConversionError, match="14 missing\n  missing: batch_stats/scale0"):
        weights.save(tmp_path / "saved", NAME, {"params": variables["params"]})


def test_a_model_without_variables_needs_no_weights():
    assert weights.load("blend") == (registry.create("blend"), {})
    assert weights.load()[0] == registry.create(weights.DEFAULT)


def test_a_model_without_weights_says_how_to_get_them(variables):
    with pytest.raises(
        FileNotFoundError, match="run `vfi-jax convert sepconv/l1`, which downloads"
    ):
        weights.load("sepconv/l1")
    weights.save(NAME, NAME, variables)
    with pytest.raises(FileNotFoundError, match=r"machine \(installed: voxel_flow/small\); get"):
        weights.load("voxel_flow")


def test_advice_names_only_releases_of_the_same_network():
    advice = weights.advice("practical_rife")
    assert "practical_rife/4.25`" in advice
    assert "practical_rife/4.26`" in advice
    assert "practical_rife/4.6" not in advice
    assert "train it" in weights.advice("softsplat/small")
    # The recipe of film/vgg trains from scratch; film/style is fine-tuned from it.
    assert "convert film/style" in weights.advice("film")
    assert "train it" in weights.advice("film/vgg")


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ("sepcov", ValueError, "unknown model 'sepcov'; did you mean sepconv"),
        ("sepconv/l3", ValueError, "unknown variant 'sepconv/l3'; did you mean"),
        ("absent.pth", FileNotFoundError, "there is no file or folder absent.pth"),
        ("./absent", FileNotFoundError, "there is no file or folder ./absent"),
    ],
)
def test_unknown_names_and_paths_are_distinguished(wrong, error, message):
    with pytest.raises(error, match=message):
        weights.load(wrong)


def test_a_folder_that_is_not_a_checkpoint_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"is not a checkpoint: it has no checkpoint\.json"):
        weights.load(tmp_path)


def test_variables_with_our_names_are_loaded_if_the_system_is_given(variables, tmp_path):
    flat = {"/".join(path): array for path, array in flatten_dict(variables).items()}
    save_file({key: np.array(array) for key, array in flat.items()}, tmp_path / "a.safetensors")
    (tmp_path / "b.msgpack").write_bytes(msgpack_serialize({"step": 3, **variables}))
    with ocp.PyTreeCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "c", {"params": variables, "opt_state": {"a": np.zeros(3)}})
    nested = {"model": variables, "step": 3}
    (tmp_path / "d.msgpack").write_bytes(msgpack_serialize(nested))
    for name in ("a.safetensors", "b.msgpack", "c", "d.msgpack"):
        assert_same(weights.load(tmp_path / name, system=NAME)[1], variables)
    for name in ("b.msgpack", "c"):
        with pytest.raises(ValueError, match="does not name its model"):
            weights.load(tmp_path / name)
    (tmp_path / "b.msgpack").write_bytes((tmp_path / "b.msgpack").read_bytes()[:-9])
    with pytest.raises(ValueError, match="is damaged or not a Flax msgpack"):
        weights.load(tmp_path / "b.msgpack", system=NAME)


def test_safetensors_may_start_with_any_byte(tmp_path):
    """The first is of the header's length: 0x88 also begins a msgpack of eight entries."""
    save_file({"a": np.zeros(1, np.float32)}, tmp_path / "a", metadata={"b": "c" * 56})
    assert (tmp_path / "a").read_bytes()[:1] == b"\x88"
    assert not plain.is_msgpack(tmp_path / "a")


def test_a_pytorch_file_is_converted_on_the_fly(tmp_path):
    arrays = upstream.state_dict()
    torch_writer.save_legacy(tmp_path / "net.pytorch", upstream.tensors(arrays))
    for system in (None, SMALL, "sepconv"):
        model, loaded = weights.load(tmp_path / "net.pytorch", system=system)
        assert model == registry.create(SMALL)
        assert_same(loaded, weights.convert(SMALL, arrays))
    with pytest.raises(ValueError, match=r"(?s)do not fit sepconv/l1: .*they fit sepconv/small"):
        weights.load(tmp_path / "net.pytorch", system="sepconv/l1")
