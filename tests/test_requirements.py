"""The versions allowed by pyproject.toml are tested."""

import re
import tomllib

from packaging.requirements import Requirement
from packaging.version import Version

from tests.support import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _lower_bounds():
    """{name: version} of every `>=` of the package and its extras."""
    extras = PROJECT["optional-dependencies"].values()
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]
    bounds = {}
    for requirement in map(Requirement, lines):
        for one in requirement.specifier:
            if one.operator == ">=":
                bounds[requirement.name] = Version(one.version)
    return bounds


def test_the_oldest_versions_tested_are_the_lower_bounds():
    lines = (ROOT / ".ci/oldest.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    bounds = _lower_bounds()
    assert pins.keys() == bounds.keys()
    for name, bound in bounds.items():
        assert Version(pins[name]).release[: len(bound.release)] == bound.release, name


def test_every_supported_python_version_is_tested():
    named = re.findall(r":: Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    workflow = (ROOT / ".github/workflows/ci.yml").read_text()
    (matrix,) = re.findall(r"python: \[(.*)\]", workflow)
    assert re.findall(r"3\.\d+", matrix) == named
    assert PROJECT["requires-python"] == f">={named[0]}"
