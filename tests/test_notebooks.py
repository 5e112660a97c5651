"""Every notebook runs from top to bottom, from the wheel, in an empty folder, as on Colab.

A cell tagged "install" is replaced by the built wheel; a cell with `"tiny": "..."` in its metadata
runs that instead. Colab's own package is a stand-in: uploading writes a rendered clip.
"""

import glob
import importlib.util
import json
import os
import shutil
import subprocess
import sys

import pytest

import colab.__main__ as shared
from tests import support

NOTEBOOKS = sorted((support.ROOT / "colab").glob("*.ipynb"))
SECONDS = 600  # for one cell, compilation included
COLAB = """
from vfi_jax import draw, video
from vfi_jax.data.scene import Scene


def upload():
    scene = Scene(1, 48, 64, motion=8)
    frames = [draw.as_bytes(scene.frame(time)) for time in range(3)]
    video.write_frames("uploaded.mp4", frames, fps=12)
    return {"uploaded.mp4": b""}


def download(name):
    open("downloaded.txt", "a").write(name)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the package as its wheel installs it, and a stand-in of google.colab."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    built = [*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(support.ROOT)]
    subprocess.run(built, check=True)
    (wheel,) = folder.glob("vfi_jax-*.whl")
    target = folder / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", target, wheel], check=True)
    (target / "google/colab").mkdir(parents=True)
    # JAX, too, looks for google.colab, and imports its `output`.
    for name in ("__init__", "output"):
        (target / f"google/colab/{name}.py").touch()
    (target / "google/colab/files.py").write_text(COLAB)
    return target


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, site, tmp_path, monkeypatch):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    # The package comes from the wheel; the checkout behind it only lends tests' stand-in weights.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), str(support.ROOT)]))
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if "install" not in cell.metadata.get("tags", ())]
    for cell in cells:
        cell.source = cell.metadata.get("tiny", cell.source)
    origin = "import vfi_jax; assert 'site' in vfi_jax.__file__, vfi_jax.__file__"
    notebook.cells = [nbformat.v4.new_code_cell(origin), *cells]
    nbclient.NotebookClient(
        notebook, timeout=SECONDS, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    if path.stem == "quickstart":
        assert (tmp_path / "downloaded.txt").read_text() == "smooth.mp4"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_stored_without_outputs(path):
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_shares_badge_and_install_cell(path):
    """`python -m colab` writes them."""
    first, install = json.loads(path.read_text())["cells"][:2]
    assert shared.badge(path.name) in "".join(first["source"])
    assert "".join(install["source"]) == shared.install_cell(path.name)


def test_readme_opens_the_quickstart():
    assert shared.badge("quickstart.ipynb") in (support.ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    ("files", "command", "extras"),
    [([], None, ""), ([], "/usr/bin/nvidia-smi", "[cuda]"), (["/dev/accel0"], None, "[tpu]")],
)
def test_the_install_cell_tries_the_index_then_the_repository(
    monkeypatch, capsys, files, command, extras
):
    tried = []

    def run(words):
        tried.append(words[-1])
        return subprocess.CompletedProcess(words, returncode=len(tried) < 2)

    monkeypatch.delenv("TPU_ACCELERATOR_TYPE", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(glob, "glob", lambda pattern: [one for one in files if one == pattern])
    monkeypatch.setattr(shutil, "which", lambda name: command)
    monkeypatch.setattr(subprocess, "run", run)
    exec(shared.install_cell("quickstart.ipynb"), {})
    assert tried == [f"vfi-jax{extras}", f"vfi-jax{extras} @ git+{shared.repository()}"]
    assert capsys.readouterr().out.startswith("accelerator: cpu")


def test_the_install_cell_prefers_an_uploaded_wheel(monkeypatch):
    tried = []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(
        glob, "glob", lambda pattern: ["vfi_jax-1-py3-none-any.whl"] if "whl" in pattern else []
    )
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda words: tried.append(words[-1]) or subprocess.CompletedProcess(words, returncode=0),
    )
    monkeypatch.delenv("TPU_ACCELERATOR_TYPE", raising=False)
    exec(shared.install_cell("train_on_tpu.ipynb"), {})
    assert tried == ["vfi_jax-1-py3-none-any.whl[train]"]
