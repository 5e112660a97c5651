"""`python -m checkpoints` converts, lists and verifies the weights on this machine."""

import pytest

from checkpoints.__main__ import main
from tests.weights import torch_writer, upstream
from tests.weights.upstream import SMALL
from vfi_jax.weights import places


@pytest.mark.usefixtures("nothing_ships")
def test_from_a_file_to_a_verified_checkpoint(tmp_path, capsys):
    torch_writer.save_legacy(tmp_path / "net.pth", upstream.tensors(upstream.state_dict()))
    assert main(["convert", SMALL, str(tmp_path / "net.pth")]) == 0
    folder = places.user_folder(SMALL)
    assert f"stored in {folder}" in capsys.readouterr().out

    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert f"{SMALL:<16} {folder}\n" in shown
    assert "sepconv/l1       run `vfi-jax convert sepconv/l1`" in shown

    assert main(["verify"]) == 0
    assert capsys.readouterr().out == f"{SMALL:<16} {folder} is intact\n"
    with (folder / "checkpoint.json").open("a") as file:
        file.write(" ")
    assert main(["verify", SMALL]) == 2
    assert "checkpoint.json is damaged; store it again" in capsys.readouterr().err
