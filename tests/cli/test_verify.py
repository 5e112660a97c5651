"""`vfi-jax verify` reports whether a released file passes."""

import pytest

from tests.weights import torch_writer, upstream
from vfi_jax.cli.__main__ import main
from vfi_jax.data.builders import middlebury
from vfi_jax.evaluation import published


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "network.pytorch"
    # Small values, because unit weights would overflow.
    arrays = {key: 0.05 * array for key, array in upstream.state_dict().items()}
    torch_writer.save_legacy(path, upstream.tensors(arrays))
    return path


def _verify(file, *options):
    return main(["verify", upstream.SMALL, str(file), *map(str, options)])


def _publish(monkeypatch, scores):
    row = published.Published(
        "sepconv-paper-padding", scores, dict.fromkeys(scores, 0.01), "a page"
    )
    monkeypatch.setitem(published.MIDDLEBURY, upstream.SMALL, row)


def test_keys_and_parameters_are_counted(file, capsys):
    assert _verify(file) == 0
    out = capsys.readouterr().out
    count = len(upstream.state_dict())
    assert f"pass: all {count} keys converted; " in out
    assert "not scored: pass Middlebury's folder with --middlebury" in out


def test_a_file_with_a_missing_key_fails(tmp_path, capsys):
    arrays = upstream.state_dict()
    del arrays["moduleConv1.0.weight"]
    path = tmp_path / "network.pytorch"
    torch_writer.save_legacy(path, upstream.tensors(arrays))
    assert _verify(path) == 2
    assert "missing: conv1/conv0/kernel [3, 3, 6, 16]" in capsys.readouterr().err


@pytest.mark.slow
def test_a_score_passes_or_fails_against_the_published_one(file, tmp_path, monkeypatch, capsys):
    middlebury.sample(tmp_path / "data")
    _publish(monkeypatch, {"psnr": 99.0})
    assert _verify(file, "--middlebury", tmp_path / "data") == 1
    line = next(row for row in capsys.readouterr().out.splitlines() if row.startswith("FAIL"))
    assert line.endswith("published 99.0 in a page")
    found = float(line.split()[2].rstrip(","))
    _publish(monkeypatch, {"psnr": found})
    assert _verify(file, "--middlebury", tmp_path / "data") == 0
    assert f"pass: psnr {found:.3f}, published {found}" in capsys.readouterr().out


def test_a_model_without_a_published_score_is_an_error(file, tmp_path, capsys):
    assert _verify(file, "--middlebury", tmp_path) == 2
    error = capsys.readouterr().err
    assert "no Middlebury score of sepconv/small is published; available: sepconv/l1" in error
