"""Modules import only from lower floors, without cycles."""

import ast
import functools
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

import vfi_jax

ROOT = Path(__file__).parents[1]
# A new module of the package needs a line here; a file in one of these folders does not.
FLOORS = {
    "vfi_jax": 0,
    "vfi_jax.compile_cache": 0,
    "vfi_jax.contract": 0,
    "vfi_jax.devices": 0,
    "vfi_jax.arrays": 0,
    "vfi_jax.guard": 0,
    "vfi_jax.lookup": 0,
    "vfi_jax.meshes": 0,
    "vfi_jax.arguments": 0,
    "vfi_jax.remote": 0,
    "vfi_jax.images": 0,
    "vfi_jax.ops": 1,
    "vfi_jax.drift": 1,
    "vfi_jax.layers": 2.0,
    "vfi_jax.networks": 2.5,
    "vfi_jax.models": 3,
    "vfi_jax.losses": 3,
    "vfi_jax.metrics": 3,
    "vfi_jax.interpolation": 4,
    "vfi_jax.estimation": 4,
    "vfi_jax.matching": 4,
    "vfi_jax.evaluation": 4,
    "vfi_jax.registry": 4,
    "vfi_jax.draw": 4,
    "vfi_jax.weights": 4,
    "vfi_jax.data": 5,
    "vfi_jax.video": 5,
    "vfi_jax.bulk": 5,
    "vfi_jax.export": 5,
    "vfi_jax.bench": 5,
    "vfi_jax.cli": 6,
    "vfi_jax.serve": 6,
    "vfi_jax.training": 6,
    "train": 7,
    "checkpoints": 7,
}
# Libraries that may be imported only in some folders.
HOMES = {
    "av": ["vfi_jax.video", "vfi_jax.data"],
    "grain": ["vfi_jax.data"],
    "etils": ["vfi_jax.remote"],
    "orbax": ["vfi_jax.weights"],
    "tensorflow_datasets": ["vfi_jax.data"],
    "torch": [],
}
LONGEST = 400  # lines of a file
# Folders whose files must not import each other or those of the other folders listed.
APART = {"vfi_jax.models", "vfi_jax.losses", "vfi_jax.metrics"}


def test_every_module_has_a_floor():
    assert not [here for here in _house() if _room(here) is None]


def test_imports_go_down_only():
    upwards = [
        f"{here} imports {name}"
        for here, names in _house().items()
        for name in names
        if name.partition(".")[0] in ("vfi_jax", "train", "checkpoints")
        if FLOORS[_room(name)] > FLOORS[_room(here)]
    ]
    assert not upwards


def test_imports_have_no_circle():
    """Inside a floor neither, and wherever in a file they stand.

    A file that names a folder, as `lookup.module` takes it, imports all that is in the folder.
    """
    house = {here: names for here, names in _house().items() if here != "vfi_jax"}
    graph = {here: house.keys() & names for here, names in house.items()}
    for here, folders in _folders().items():
        others = folders - {here.rpartition(".")[0]}
        graph[here] |= {name for name in house if name.rpartition(".")[0] in others}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"each imports the one before: {' <- '.join(error.args[1])}")


def test_no_file_is_too_long():
    lines = {
        str(path.relative_to(ROOT)): path.read_text().count("\n")
        for top in ("vfi_jax", "train", "checkpoints", "colab", "docs", "examples", "tests")
        for path in (ROOT / top).rglob("*.py")
    }
    assert not {path: count for path, count in lines.items() if count > LONGEST}


def test_systems_losses_and_metrics_never_import_one_another():
    siblings = [
        f"{here} imports {name}"
        for here, names in _house().items()
        for name in names
        # The room itself gathers what its files define, and may lend them a helper of its own.
        if _room(here) in APART and here != _room(here) and _room(name) in APART
        if not name.startswith(f"{_room(here)}._")
    ]
    assert not siblings


def test_ops_import_only_jax():
    known = {"vfi_jax", "jax", "jaxtyping", "numpy", *sys.stdlib_module_names}
    foreign = [
        f"{here} imports {name}"
        for here, names in _house().items()
        for name in names
        if _room(here) == "vfi_jax.ops" and name.partition(".")[0] not in known
    ]
    assert not foreign


def test_libraries_are_imported_only_in_their_modules():
    abroad = [
        f"{here} imports {name}"
        for here, names in _house().items()
        for name in names
        if here.startswith("vfi_jax")
        and _room(here) not in HOMES.get(name.partition(".")[0], [_room(here)])
    ]
    assert not abroad


def test_importing_the_package_is_light():
    program = """
import sys, time
before, start = set(sys.modules), time.process_time()
import vfi_jax
print(time.process_time() - start, *(set(sys.modules) - before))
"""
    command = [sys.executable, "-c", program]
    runs = [
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
        for _ in range(3)
    ]
    loaded = {name.partition(".")[0] for name in runs[0][1:]}
    assert loaded - sys.stdlib_module_names == {"vfi_jax"}
    assert min(float(run[0]) for run in runs) < 0.2


@functools.cache
def _house():
    """{module: full names of the modules that it imports}, of the whole checkout."""
    paths = [
        path for top in ("vfi_jax", "train", "checkpoints") for path in (ROOT / top).rglob("*.py")
    ]
    return {_module(path): list(_imports(path)) for path in sorted(paths)}


@functools.cache
def _folders():
    """{module: folders of the package that its strings name}."""
    named = {}
    for path in sorted((ROOT / "vfi_jax").rglob("*.py")):
        texts = (getattr(node, "value", None) for node in ast.walk(ast.parse(path.read_text())))
        dotted = (text for text in texts if isinstance(text, str) and text.startswith("vfi_jax."))
        named[_module(path)] = {text for text in dotted if (ROOT / text.replace(".", "/")).is_dir()}
    del named["vfi_jax"]
    return named


def _module(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            yield from (_source(node.module, alias.name) for alias in node.names)


def _source(package, name):
    """The module that `from package import name` reads; a public name has its home elsewhere."""
    if package == "vfi_jax" and name in vfi_jax._HOME:
        return vfi_jax._HOME[name]
    inner = ROOT / package.replace(".", "/") / name
    return f"{package}.{name}" if inner.is_dir() or inner.with_suffix(".py").exists() else package


def _room(module):
    """The entry of FLOORS that a module belongs to; None if it stands on no floor."""
    while module and module not in FLOORS:
        module = module.rpartition(".")[0]
        if module == "vfi_jax":
            return None
    return module or None
