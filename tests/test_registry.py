import jax
import jax.numpy as jnp
import pytest

from tests import support
from vfi_jax import lookup, registry
from vfi_jax.contract import Contract


def test_every_file_is_a_registry_entry():
    assert {"blend", "sepconv"} <= set(registry.list_models())
    assert {name.partition("/")[0] for name in registry.list_models()} == set(
        lookup.modules(registry.MODELS)
    )
    assert registry.list_models() == sorted(registry.list_models())
    assert "pwc_net" in registry.list_networks()


def test_a_name_gives_its_variant_with_fields_replaced():
    model = registry.create("sepconv/small", taps=5, dtype=jnp.bfloat16)
    small = registry.definition("sepconv").VARIANTS["small"]
    assert (model.config.taps, model.config.dtype) == (5, jnp.bfloat16)
    assert model.config.widths == small.widths
    assert registry.create("sepconv") == registry.create("sepconv/l1")
    listed, given = (registry.create("rife", scales=kind((2, 1))) for kind in (list, tuple))
    assert listed == given
    assert hash(listed) == hash(given)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("sepcon", {}, "unknown model 'sepcon'; did you mean sepconv"),
        ("zzzz", {}, "unknown model 'zzzz'; available: amt, blend,"),
        ("sepconv/l3", {}, "unknown variant 'sepconv/l3'; did you mean sepconv/l"),
        ("sepconv", {"tap": 5}, "unknown option of sepconv 'tap'; did you mean taps"),
        ("sepconv", {"taps": {5}}, r"taps of sepconv cannot be \{5\}"),
    ],
)
def test_an_unknown_name_suggests_the_closest_names(name, options, words):
    with pytest.raises(ValueError, match=words):
        registry.create(name, **options)


@pytest.mark.parametrize(
    "name", [*lookup.modules(registry.MODELS), *lookup.modules(registry.NETWORKS)]
)
def test_a_definition_has_its_three_parts(name):
    found = registry.definition(name)
    assert found.__doc__
    assert found.Model.__doc__
    assert found.Model().config == found.Config()
    assert all(isinstance(config, found.Config) for config in found.VARIANTS.values())
    assert hash(found.Config()) == hash(found.Config())


def test_inputs_of_the_smallest_call_follow_from_the_contract():
    model = registry.create("sepconv/small")
    shapes = registry.example_inputs(model, train=True, size=(32, 64))
    assert {name: spec.shape for name, spec in shapes.items()} == {
        "frames": (1, 2, 32, 64, 3),
        "times": (1, 1),
        "targets": (1, 1, 32, 64, 3),
    }


def test_parameters_are_counted_without_creating_them():
    model = registry.create("voxel_flow/small")
    abstract = registry.abstract_variables(model)
    assert all(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(abstract))
    made = support.variables(model)
    sizes = [leaf.size for leaf in jax.tree.leaves(made["params"])]
    assert registry.count_parameters(abstract) == registry.count_parameters(made) == sum(sizes)
    assert registry.count_parameters({}) == 0


def test_the_baseline_weights_the_frames_by_time():
    frames = jnp.stack([jnp.zeros((16, 16, 3)), jnp.ones((16, 16, 3))])[None]
    out = registry.create("blend").apply({}, frames, jnp.array([[0.25, 0.75]]))["frames"]
    assert out[0, :, 0, 0, 0].tolist() == [0.25, 0.75]
    assert registry.create("blend").contract == Contract(frames=2, times=None, symmetric=True)
