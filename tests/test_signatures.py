"""Called functions of other libraries exist and accept the keywords passed to them.

What a version renames or drops shows here at once, also where no other test reaches the call. The
versions that pyproject.toml admits differ in such keywords, so this runs on the oldest and on the
newest of them.
"""

import ast
import functools
import importlib
import importlib.util
import inspect
import sys
from pathlib import Path

import av
import pytest

from tests.support import ROOT

OURS = ("vfi_jax", "train", "checkpoints")
FILES = [path for name in OURS for path in (ROOT / name).rglob("*.py")]


def _imports(tree):
    """{local name: dotted name} of what a file imports."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                local = one.asname or one.name.partition(".")[0]
                names[local] = one.name if one.asname else local
        elif isinstance(node, ast.ImportFrom):
            names |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return names


def _dotted(node):
    """("jax", "lax", "scan") of `jax.lax.scan`; None of what is not such a chain of names."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else None


def _calls():
    """(place, library, dotted name, keywords) of every call of another library.

    In files that import PyAV, calls with keywords on objects count too: without a library, by the
    method's name.
    """
    for path in FILES:
        tree = ast.parse(path.read_text())
        imports = _imports(tree)
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call):
                continue
            keywords = [one.arg for one in call.keywords if one.arg]
            place = f"{path.relative_to(ROOT)}:{call.lineno}"
            chain = _dotted(call.func)
            if chain and chain[0] in imports:
                name = ".".join((imports[chain[0]], *chain[1:]))
                library = name.partition(".")[0]
                if library not in (*OURS, *sys.stdlib_module_names):
                    yield place, library, name, keywords
            elif keywords and isinstance(call.func, ast.Attribute) and "av" in imports:
                yield place, None, call.func.attr, keywords


CALLS = list(_calls())
LIBRARIES = sorted({library for _, library, _, _ in CALLS if library})


def _find(name):
    """The object with a dotted name; its modules are imported on the way."""
    first, *rest = name.split(".")
    found, module = importlib.import_module(first), first
    for part in rest:
        module = f"{module}.{part}"
        if not hasattr(found, part) and importlib.util.find_spec(module):
            importlib.import_module(module)
        found = getattr(found, part)
    return found


@functools.cache
def _stubs():
    """{function, method or class: keywords that one of its definitions takes} of PyAV.

    Its compiled code has no signatures at run time; its stub files do.
    """
    taken = {}
    for path in Path(av.__file__).parent.rglob("*.pyi"):
        for scope in ast.walk(ast.parse(path.read_text())):
            for node in scope.body if isinstance(scope, ast.Module | ast.ClassDef) else ():
                if isinstance(node, ast.FunctionDef):
                    name = scope.name if node.name == "__init__" else node.name
                    arguments = node.args.args + node.args.kwonlyargs
                    taken.setdefault(name, set()).update(one.arg for one in arguments)
                    if node.args.kwarg:
                        taken[name].add("**")
    return taken


def _refused(call, keywords):
    """The keywords that a function does not take; [] where it has no signature."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (ValueError, TypeError):
        return []
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return []
    named = {one.name for one in parameters if one.kind is not one.POSITIONAL_ONLY}
    return sorted(set(keywords) - named)


def _refused_by_pyav(name, keywords):
    """As `_refused`, from PyAV's stub files, of a function, method or class by its name."""
    taken = _stubs().get(name.rpartition(".")[2], {"**"})
    return [] if "**" in taken else sorted(set(keywords) - taken)


@pytest.mark.parametrize("library", LIBRARIES)
def test_calls_exist_in_the_library(library):
    pytest.importorskip(library)
    refused = {}
    for place, _, name, keywords in (call for call in CALLS if call[1] == library):
        try:
            unknown = _refused(_find(name), keywords)
        except AttributeError:
            unknown = ["(no such function)"]
        if unknown:
            refused[f"{place} {name}"] = unknown
    assert not refused


def test_keywords_exist_in_pyav():
    refused = {
        f"{place} {name}": unknown
        for place, library, name, keywords in CALLS
        if library in ("av", None) and (unknown := _refused_by_pyav(name, keywords))
    }
    assert not refused


def test_an_unknown_keyword_is_found():
    assert _refused(pytest.approx, ["rel", "relative"]) == ["relative"]
    assert _refused_by_pyav("av.open", ["mode", "modus"]) == ["modus"]
    assert _refused_by_pyav("seek", ["stream", "strom"]) == ["strom"]
