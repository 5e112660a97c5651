"""Every mapping is a bijection between an upstream file's keys and a model's variables."""

import numpy as np
import pytest

from tests import support
from tests.weights import torch_writer
from vfi_jax import lookup, registry
from vfi_jax.weights import conversion, library, sources

INSIDE_OTHERS = {"flownet_s", "spynet"}  # networks that were released only as parts of MEMC-Net
KEYS = sorted(path.stem for path in (support.ROOT / "checkpoints/keys").glob("*.txt"))


def _model_of(keys):
    """The model that a key list belongs to: "memc_net_s" is memc_net/s, "sepconv-2017" sepconv."""
    stem = keys.partition("-")[0]
    names = (*registry.list_models(), *registry.list_networks())
    return next((name for name in names if name.replace("/", "_") == stem), None)


CASES = [keys for keys in KEYS if _model_of(keys) in conversion.convertible()]


def _arrays(keys):
    # Arrays without data: only names and shapes matter.
    rows = support.read_keys(keys)
    return {key: np.broadcast_to(np.float32(0), shape) for key, shape, _ in rows}


@pytest.mark.parametrize("keys", CASES)
def test_every_key_is_used_once_and_every_variable_filled_once(keys):
    arrays = _arrays(keys)
    conversion.convert(_model_of(keys), arrays)
    # Written only by PyTorch 0.4.1 and later, so no variable may need them.
    counters = [key for key in arrays if key.endswith("num_batches_tracked")]
    rules = conversion.rules_of(_model_of(keys))
    assert all(rule.path is None for key in counters for rule in rules if rule.match(key))


@pytest.mark.parametrize("system", lookup.modules(conversion.MAPPINGS))
def test_every_mapping_has_a_key_list_and_a_record(system):
    if system in INSIDE_OTHERS:
        return
    assert system in {registry.split(_model_of(keys))[0] for keys in CASES}
    assert system in {registry.split(name)[0] for name in sources.records()}


@pytest.mark.parametrize("keys", ["sepconv-2017", "pwc_net", "rife_m", "practical_rife_4.22.lite"])
def test_a_file_is_recognised_by_its_keys_and_shapes(keys):
    assert conversion.recognise(_arrays(keys)) == _model_of(keys)


def test_unknown_common_prefixes_are_removed():
    arrays = {f"ema_model.netG.{key}": array for key, array in _arrays("voxel_flow").items()}
    assert conversion.recognise(arrays) == "voxel_flow"
    notes = []
    conversion.convert("voxel_flow", arrays, notes=notes)
    assert notes[:2] == ["removed 'ema_model.' from every key", "removed 'netG.' from every key"]
    arrays["scale"] = np.zeros(1, np.float32)
    with pytest.raises(conversion.ConversionError, match=r"unknown: ema_model\.netG"):
        conversion.convert("voxel_flow", arrays)


@pytest.mark.parametrize(
    "keys", ["4.0", "4.2", "4.5", "4.6", "4.14.lite", "4.22.lite", "4.25.lite"]
)
def test_releases_of_practical_rife_are_distinguished_by_widths(keys):
    """Only one of the possible networks is traced."""
    arrays = _arrays(f"practical_rife_{keys}")
    names = [name for name in conversion.convertible() if name.startswith("practical_rife/")]
    could = [name for name in names if conversion._could_be(name, arrays)]
    assert could == conversion.alike(f"practical_rife/{keys}")


def test_files_of_rife_hd_are_rejected_with_a_message():
    for keys, version in (
        (["block0.convblock3.1.0.weight", "block2.conv1.0.weight"], "v3"),
        (["block0.convblock.5.0.weight", "block3.conv1.weight"], "v2"),
        (["block1.res5.fc1.weight", "block3.conv1.weight"], "v1"),
    ):
        with pytest.raises(
            ValueError, match=rf"this is RIFE HD {version} .* not supported; .*4\.25"
        ):
            conversion.recognise(dict.fromkeys(keys, np.zeros(1, np.float32)))


def test_a_file_of_rife_hd_is_recognised_if_another_system_is_given(tmp_path):
    keys = ("block0.convblock3.1.0.weight", "block2.conv1.0.weight")
    arrays = dict.fromkeys(keys, torch_writer.Tensor(np.zeros(1, np.float32)))
    torch_writer.save_zip(tmp_path / "flownet.pkl", arrays)
    with pytest.raises(ValueError, match=r"(?s)do not fit sepconv/small.*this is RIFE HD v3"):
        library.load(tmp_path / "flownet.pkl", system="sepconv/small")


def test_a_renamed_file_is_recognised_by_its_release_number():
    for file, name in (
        ("rife49.pth", "4.9"),
        ("rife417_lite.pth", "4.17.lite"),
        ("rife4.25-heavy.pth", "4.25.heavy"),
        ("flownet_v4.1.pkl", "4.1"),
    ):
        assert sources.released_as("practical_rife", file) == f"practical_rife/{name}"
    assert sources.released_as("practical_rife", "flownet.pkl") == "practical_rife"
    assert sources.released_as("sepconv", "model-l1x.pth") == "sepconv"


def test_spynet_is_found_inside_a_basicsr_file():
    rows = [row for row in support.read_keys("memc_net_s") if row[0].startswith("flownets.")]
    inside = {
        f"spynet.{key.removeprefix('flownets.').replace('moduleBasic', 'basic_module')}": shape
        for key, shape, _ in rows
    }
    others = {"spynet.mean": [1, 3, 1, 1], "conv_last.weight": [3, 64, 3, 3]}
    arrays = {key: np.broadcast_to(np.float32(0), s) for key, s in {**inside, **others}.items()}
    notes = []
    conversion.convert("spynet", arrays, notes=notes)
    assert notes == ["ignored 2 unused keys: spynet.mean; conv_last.weight"]


def test_layers_of_vgg_19_that_have_one_shape_keep_their_order():
    arrays = {
        key: np.broadcast_to(np.float32(index), shape)
        for index, (key, shape, _) in enumerate(support.read_keys("vgg19"))
    }
    found = conversion.convert("vgg19", arrays)["params"]
    order = [found[f"conv{name}"]["bias"][0] for name in ("4_2", "4_3", "4_4", "5_1", "5_2")]
    assert order == [19, 21, 23, 25, 27]
