"""Released weights are downloaded, verified, converted and stored, or nothing is stored."""

import hashlib
import logging

import numpy as np
import pytest

from tests.weights import torch_writer, upstream
from tests.weights.upstream import SMALL
from vfi_jax import weights
from vfi_jax.cli.__main__ import main
from vfi_jax.weights import places, sources


@pytest.fixture
def released(tmp_path, monkeypatch):
    """The file of sepconv/small, and a function that publishes it in a record."""
    file = tmp_path / "network-small.pytorch"
    torch_writer.save_zip(file, upstream.tensors(upstream.state_dict()))

    def publish(**fields):
        record = sources.Source(
            **{"file": file.name, "url": file.as_uri(), "licence": "to look at only", **fields}
        )
        monkeypatch.setattr(sources, "records", lambda: {SMALL: record})

    publish()
    return file, publish


def test_every_record_is_well_formed():
    for name, record in sources.records().items():
        weights.source(name)
        assert not record.url or record.file, name
        assert all(link.startswith("http") for link in (record.url, record.page) if link), name
        assert len(record.commit) in (0, 7, 40), name
        assert len(record.sha256) in (0, 64), name


def test_an_installed_file_is_found_by_load(released):
    file, _ = released
    notes = []
    folder = weights.install("sepconv", file, notes=notes)  # the file's name says "small"
    assert folder == places.user_folder(SMALL)
    assert notes[:2] == [
        "sepconv/small: 327,148 parameters",
        "licence of these weights: to look at only",
    ]
    assert weights.load(SMALL)[1]["params"]["conv1"]["conv0"]["kernel"].shape == (3, 3, 6, 16)


def test_without_a_file_it_is_downloaded_once_and_its_hash_recorded(released, caplog):
    file, _ = released
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    with caplog.at_level(logging.WARNING):
        weights.install(SMALL)
    assert f"recorded {digest}" in caplog.text
    caplog.clear()
    path = weights.fetch(SMALL)
    assert not caplog.text
    assert path.read_bytes() == file.read_bytes()
    # The next download must be the same file.
    path.unlink()
    torch_writer.save_zip(file, upstream.tensors(upstream.state_dict(seed=1)))
    with pytest.raises(ValueError, match=f"expected {digest}; deleted it"):
        weights.fetch(SMALL)
    assert not path.exists()


def test_a_model_is_downloaded_at_first_use_unless_offline(released, capsys, nothing_ships):
    file, publish = released
    command = ["export", SMALL, str(file.with_name("a.jax")), "--size", "64x64"]
    assert main([*command, "--offline"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "--offline forbids downloading file://" in line
    publish(url="file:///absent/file")
    assert main(command) == 2
    shown = capsys.readouterr().err.splitlines()
    assert "cannot download file:///absent/file" in shown[-1]
    publish(note="for looks")
    weights.obtain(SMALL, log=print)
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == f"downloading the weights of {SMALL}: {file.as_uri()}"
    assert shown[1] == "licence of these weights: to look at only"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert shown[2] == f"{file.stat().st_size / 1e6:.1f} MB, SHA-256 {digest}"
    assert shown[3:] == [f"stored in {places.user_folder(SMALL)}", "note: for looks"]
    weights.obtain(SMALL, offline=True, log=print)  # they are here now
    weights.obtain("blend", log=print)
    assert capsys.readouterr().out == ""


def test_a_file_alone_is_recognised(released, tmp_path, capsys):
    file, _ = released
    file.rename(tmp_path / "any name.pth")
    assert main(["convert", str(tmp_path / "any name.pth")]) == 0
    shown = capsys.readouterr().out
    assert "recognised sepconv/small from its keys and shapes" in shown
    assert "licence of these weights: to look at only" in shown


def test_a_known_hash_is_verified(released):
    file, publish = released
    publish(sha256="0" * 64)
    with pytest.raises(ValueError, match=f"expected {'0' * 64}"):
        weights.fetch(SMALL)
    publish(sha256=hashlib.sha256(file.read_bytes()).hexdigest())
    weights.fetch(SMALL)


def test_a_missing_link_or_failed_download_is_one_line(released):
    _, publish = released
    publish(url="", page="https://example.org/a")
    with pytest.raises(ValueError, match=r"get network-small\.pytorch from https://example\.org/a"):
        weights.fetch(SMALL)
    publish(url="file:///absent/file")
    with pytest.raises(ConnectionError, match="cannot download file:///absent/file"):
        weights.fetch(SMALL)
    assert not list(places.home().glob("downloads/*/*"))


def test_a_file_of_another_model_is_not_stored_and_its_own_is_named(released, tmp_path):
    file, _ = released
    with pytest.raises(ValueError, match="they fit sepconv/small"):
        weights.install("sepconv/l1", file)
    arrays = upstream.state_dict() | {"extra.weight": np.zeros(3, np.float32)}
    torch_writer.save_zip(tmp_path / "net.pth", upstream.tensors(arrays))
    with pytest.raises(ValueError, match="do not fit sepconv/small: 1 unknown"):
        weights.install(SMALL, tmp_path / "net.pth")
    assert not places.home().exists()
