"""Tests of every public function in folders with export lines."""

import importlib
import inspect

import pytest

FOLDERS = ("vfi_jax.ops", "vfi_jax.losses", "vfi_jax.metrics")
SECTIONS = ("Args:", "Returns:", "Source:")
MODULES = {folder: importlib.import_module(folder) for folder in FOLDERS}
FUNCTIONS = [
    pytest.param(getattr(module, name), id=f"{folder.rpartition('.')[2]}.{name}")
    for folder, module in MODULES.items()
    for name in module.__all__
    if inspect.isfunction(getattr(module, name))
]


@pytest.mark.parametrize("folder", FOLDERS)
def test_public_names_are_sorted_and_exist(folder):
    module = MODULES[folder]
    assert list(module.__all__) == sorted(set(module.__all__))
    assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_options_are_keyword_only(function):
    for parameter in inspect.signature(function).parameters.values():
        # None stands for an array that may be left out.
        if parameter.default not in (parameter.empty, None):
            assert parameter.kind == parameter.KEYWORD_ONLY, parameter.name


@pytest.mark.parametrize("function", FUNCTIONS)
def test_docstrings_state_shapes_arguments_and_source(function):
    text = inspect.getdoc(function) or ""
    for section in SECTIONS:
        assert section in text, section
    if function.__name__ != "backend":
        assert "`[" in text, "shapes"
    for name in inspect.signature(function).parameters:
        assert f"{name}:" in text, name
