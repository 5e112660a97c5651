import pytest

from vfi_jax.weights import library


@pytest.fixture(autouse=True)
def _frames_are_blended(monkeypatch):
    """These tests are about videos: the default model would be compiled for every size anew."""
    monkeypatch.setattr(library, "DEFAULT", "blend")
