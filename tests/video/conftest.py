import pytest

from vfi_jax import weights


@pytest.fixture(autouse=True)
def _frames_are_blended(monkeypatch):
    """These tests are about videos: the default model would be compiled for every size anew."""
    monkeypatch.setattr(weights, "DEFAULT", "blend")
