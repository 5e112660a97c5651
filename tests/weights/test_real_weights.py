"""Files that people have are recognised, whatever their names, and fill a model of ours."""

import pytest

from tests import support
from vfi_jax import registry
from vfi_jax.weights import library

FILES = {
    "practical_rife-4.0.pkl": ("practical_rife/4.0", "this is RIFE 4.0 (the same network as"),
    "practical_rife-4.6.pkl": ("practical_rife/4.6", "this is RIFE 4.6, by its keys"),
    "practical_rife-4.25.pkl": ("practical_rife", "this is practical_rife (the same network as"),
    "basicvsr-with-spynet.pth": ("spynet", "this is spynet, by its keys"),
    "lpips-alex.pth": ("lpips", "this is lpips, by its keys"),
    "lpips-vgg.pth": ("lpips/vgg", "this is lpips/vgg, by its keys"),
    "gmflow.pkl": ("gmflow", "this is gmflow"),
}


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_a_released_file_is_recognised_and_fills_its_model(file):
    name, words = FILES[file]
    [path] = support.real_weights(file)
    notes: list[str] = []
    found, variables = library.from_file(path, None, notes=notes)
    assert found == name
    assert any(note.startswith(words) for note in notes)
    abstract = registry.abstract_variables(registry.create(name))
    assert registry.count_parameters(variables) == registry.count_parameters(abstract)
