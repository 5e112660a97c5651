"""`vfi-jax flow` and `vfi-jax depth` write files that can be read again."""

import numpy as np
import pytest

from tests import support
from vfi_jax import images, registry, weights
from vfi_jax.cli.__main__ import main
from vfi_jax.data.flow_files import read_flow


@pytest.fixture
def pictures(tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    frames = np.random.default_rng(0).integers(0, 256, (2, 18, 21, 3), np.uint8)
    for path, frame in zip(paths, frames, strict=True):
        images.write(path, frame)
    return [str(path) for path in paths]


def _store(name):
    weights.save(name, name, support.variables(registry.create(name), gain=0.5))


def test_flow_is_written_as_a_flow_file_and_as_an_image(pictures, tmp_path, capsys):
    _store("spynet/small")
    out, picture = tmp_path / "flow.flo", tmp_path / "flow.png"
    options = ["--network", "spynet/small", "--out", str(out), "--picture", str(picture)]
    assert main(["flow", *pictures, *options]) == 0
    flow, known = read_flow(out)
    assert flow.shape == (18, 21, 2)
    assert known.all()
    assert images.read(picture).shape == (18, 21, 3)
    longest = np.hypot(*np.moveaxis(flow, -1, 0)).max()
    assert f"{longest:.2f} at most" in capsys.readouterr().out


def test_near_pixels_are_bright_in_a_depth_map(pictures, tmp_path, capsys):
    _store("megadepth/small")
    out = tmp_path / "depth.png"
    options = ["--network", "megadepth/small", "--out", str(out)]
    assert main(["depth", pictures[0], *options]) == 0
    picture = images.read(out, bits=16)
    assert picture.shape == (18, 21, 3)
    assert picture.max() == 65535
    times = 65535 / picture.min()
    assert float(capsys.readouterr().out.split()[4]) == pytest.approx(times, abs=0.01)


def test_images_are_checked_before_weights_are_downloaded(pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(weights, "obtain", lambda *_, **__: pytest.fail("downloads"))
    wrong = tmp_path / "wrong.png"
    wrong.write_bytes(b"text")
    for command in (
        ["depth", str(wrong), "--out", "depth.png"],
        ["flow", pictures[0], str(wrong), "--out", "flow.flo", "--network", "pwc_net"],
        ["match", pictures[0], str(wrong)],
    ):
        assert main(command) == 2
        message = f"vfi-jax: error: {wrong} cannot be read as an image: unknown format\n"
        assert capsys.readouterr().err == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to write; pass --out FILE.flo or --picture FILE.png"),
        (["--picture", "flow.jpg"], "--picture must end in .png, got flow.jpg"),
        (["--out", "flow.npy", "--network", "pwc_net"], "a flow file must end in .flo"),
        (["--out", "flow.flo", "--network", "pwc_net"], "pwc_net"),
        (["--out", "flow.flo", "--network", "sepconv"], "unknown network 'sepconv'"),
    ],
)
def test_missing_inputs_are_reported_in_one_line(pictures, arguments, message, capsys):
    assert main(["flow", *pictures, *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error


def test_depth_is_written_only_as_png(pictures, capsys):
    assert main(["depth", pictures[0], "--out", "depth.jpg"]) == 2
    assert "--out must end in .png, got depth.jpg" in capsys.readouterr().err
