"""Output folders of runs."""

import pytest

from vfi_jax.training.workdir import Workdir


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("gs:/bucket/run", "gs:/bucket/run is not a local path; object stores need two slashes"),
        ("ftp://host/run", "ftp://host/run cannot be opened; supported are gs://"),
    ],
)
def test_unsupported_stores_are_rejected(place, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        Workdir(place)
    assert not list(tmp_path.iterdir())


def test_a_local_folder_is_used_directly(tmp_path):
    with Workdir(tmp_path / "run") as workdir:
        workdir.write("run.json", "{}")
        assert workdir.here == tmp_path / "run"
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.json"]
