"""`vfi-jax convert` stores weights for `--model`, or reports an error in one line."""

import pytest

from tests.weights import torch_writer, upstream
from tests.weights.torch_writer import Global
from tests.weights.upstream import SMALL
from vfi_jax import weights
from vfi_jax.cli.__main__ import main
from vfi_jax.weights import conversion, places
from vfi_jax.weights.rules import Finding


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "net.pth"
    torch_writer.save_zip(path, upstream.tensors(upstream.state_dict()))
    return path


def test_a_file_is_stored_under_the_name_of_its_model(file, capsys):
    assert main(["convert", SMALL, str(file)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == f"{SMALL}: 327,148 parameters"
    assert shown[1].startswith("licence of these weights: ")
    assert shown[-1] == f"stored in {places.user_folder(SMALL)}"
    weights.load(SMALL)


def test_out_selects_the_folder(file, tmp_path, nothing_ships):
    assert main(["convert", SMALL, str(file), "--out", str(tmp_path / "mine")]) == 0
    weights.load(tmp_path / "mine")
    assert weights.at_hand(SMALL) is None


def test_reports_of_a_mapping_are_printed(file, capsys, monkeypatch):
    def report(model, variables):
        text = f"kernels of {model.config.taps} taps from {len(variables['params'])} parts"
        return [Finding(text, False)]

    monkeypatch.setattr(conversion.mapping_of(SMALL), "report", report, raising=False)
    assert main(["convert", SMALL, str(file)]) == 0
    assert "kernels of 13 taps from 17 parts" in capsys.readouterr().out
    assert main(["verify", SMALL, str(file)]) == 1
    assert "FAIL: kernels of 13 taps" in capsys.readouterr().out


def _truncated(path):
    path.write_bytes(path.read_bytes()[:-100])


def _flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _evil(path):
    torch_writer.save_zip(path, {"weight": Global("os", "system", ("touch evil",))})


def _other(path):
    torch_writer.save_zip(
        path, upstream.tensors({"a.weight": upstream.state_dict()["moduleConv1.0.bias"]})
    )


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_truncated, "is damaged or not a PyTorch file"),
        (_flipped, "is damaged"),
        (_evil, "refused: it would run os.system"),
        (_other, "the weights do not fit sepconv/small: 1 unknown, 94 missing"),
        (lambda path: path.unlink(), "there is no file "),
    ],
    ids=["truncated", "flipped", "evil", "other", "absent"],
)
def test_errors_return_exit_code_2_and_write_nothing(file, spoil, message, capsys):
    spoil(file)
    assert main(["convert", SMALL, str(file)]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("vfi-jax: error: ")
    assert message in shown.err.splitlines()[0]
    assert not shown.out
    assert not places.home().exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent.pth"], "there is no file or folder absent.pth"),
        (["practical_rif"], "unknown model 'practical_rif'; did you mean practical_rife"),
        ([SMALL, "."], ". contains no weights: pass a file, or a folder that Orbax wrote"),
    ],
)
def test_a_wrong_path_is_an_error_of_one_line(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["convert", *words]) == 2
    assert capsys.readouterr().err.startswith(f"vfi-jax: error: {message}")


def test_a_missing_conversion_or_link_is_reported(file, capsys):
    assert main(["convert", "blend", str(file)]) == 2
    assert "unknown conversion 'blend'" in capsys.readouterr().err
    assert main(["convert", "rife"]) == 2
    assert "no direct link to the weights of rife is known; get " in capsys.readouterr().err
