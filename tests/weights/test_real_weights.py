"""Released files are recognised under any file name and fill a model."""

import pytest

from tests import support
from vfi_jax import registry
from vfi_jax.weights import library

FILES = {
    "practical_rife-4.0.pkl": ("practical_rife/4.0", "recognised RIFE 4.0 (the same network as"),
    "practical_rife-4.6.pkl": ("practical_rife/4.6", "recognised RIFE 4.6 from its keys"),
    "practical_rife-4.25.pkl": ("practical_rife", "recognised practical_rife (the same network as"),
    "basicvsr-with-spynet.pth": ("spynet", "recognised spynet from its keys"),
    "lpips-alex.pth": ("lpips", "recognised lpips from its keys"),
    "lpips-vgg.pth": ("lpips/vgg", "recognised lpips/vgg from its keys"),
    "gmflow.pkl": ("gmflow", "recognised gmflow"),
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
