"""Every notebook runs from top to bottom, on tiny inputs.

A cell tagged "install" is skipped; a cell with `"tiny": "..."` in its metadata runs that instead.
"""

import pytest

from tests import support

NOTEBOOKS = sorted((support.ROOT / "colab").glob("*.ipynb"))
SECONDS = 300  # for one cell, compilation included


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tmp_path, monkeypatch):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(support.ROOT))
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if "install" not in cell.metadata.get("tags", ())]
    for cell in cells:
        cell.source = cell.metadata.get("tiny", cell.source)
    notebook.cells = cells
    nbclient.NotebookClient(
        notebook, timeout=SECONDS, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_stored_without_outputs(path):
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_installs_a_checkout(path):
    """No index has the package."""
    nbformat = pytest.importorskip("nbformat")
    first, install = nbformat.read(path, as_version=4).cells[:2]
    assert "upload yours into the folder `vfi_jax`" in first.source.replace("\n", " ")
    assert install.source.startswith("%cd vfi_jax\n%pip install -q -e ")
