"""Every mapping is a bijection between an upstream file's keys and a model's variables."""

import numpy as np
import pytest

from tests import support
from vfi_jax import lookup, registry
from vfi_jax.weights import conversion, sources

INSIDE_OTHERS = {"flownet_s", "spynet"}  # networks that were released only as parts of MEMC-Net
KEYS = sorted(path.stem for path in (support.ROOT / "checkpoints/keys").glob("*.txt"))


def _model_of(keys):
    """The model that a key list belongs to: "memc_net_s" is memc_net/s, "sepconv-2017" sepconv."""
    stem = keys.partition("-")[0]
    names = (*registry.list_models(), *registry.list_networks())
    return next((name for name in names if name.replace("/", "_") == stem), None)


CASES = [keys for keys in KEYS if _model_of(keys) in conversion.convertible()]


def _arrays(keys):
    # Arrays without memory: only names and shapes matter.
    rows = support.read_keys(keys)
    return {key: np.broadcast_to(np.float32(0), shape) for key, shape, _ in rows}


@pytest.mark.parametrize("keys", CASES)
def test_every_key_is_used_once_and_every_variable_filled_once(keys):
    arrays = _arrays(keys)
    conversion.convert(_model_of(keys), arrays)
    # PyTorch before 0.4.1 did not write these, and later ones may: no variable may need them.
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


def test_layers_of_vgg_19_that_have_one_shape_keep_their_order():
    arrays = {
        key: np.broadcast_to(np.float32(index), shape)
        for index, (key, shape, _) in enumerate(support.read_keys("vgg19"))
    }
    found = conversion.convert("vgg19", arrays)["params"]
    order = [found[f"conv{name}"]["bias"][0] for name in ("4_2", "4_3", "4_4", "5_1", "5_2")]
    assert order == [19, 21, 23, 25, 27]
