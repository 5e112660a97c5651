"""Baselines, flow images and pages of scores."""

from fractions import Fraction

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import support
from vfi_jax import evaluation, registry
from vfi_jax.cli.__main__ import main
from vfi_jax.contract import Contract
from vfi_jax.data.builders import frame_folder, vimeo90k
from vfi_jax.evaluation import extras, flows, markdown, tables
from vfi_jax.evaluation.score import Sample

HALF, LATE = Fraction(1, 2), Fraction(3, 4)


@pytest.fixture(scope="module")
def moving():
    """A textured square moving 4 pixels to the right over a static, smooth background."""
    y, x = np.mgrid[:64, :64]
    back = np.stack([80 + x / 2, 90 + y / 2, 100 + 0 * x], axis=-1)
    texture = np.random.default_rng(0).integers(0, 256, (24, 24, 3))
    frames = np.repeat(np.uint8(back)[None], 3, axis=0)
    for index, frame in enumerate(frames):
        frame[20:44, 18 + 2 * index : 42 + 2 * index] = texture
    return frames


def test_copy_and_average_follow_their_definition():
    frames = np.float32([0, 0.5, 1])[:, None, None, None] * np.ones((1, 2, 2, 3), np.float32)
    times = (Fraction(0), LATE, 1 + HALF, Fraction(2))
    for name, wanted in (("copy", (0, 0, 0.5, 1)), ("average", (0, 0.25, 0.75, 1))):
        answers = evaluation.baseline(name)(frames, times)
        np.testing.assert_array_equal(answers[:, 0, 0, 0], np.float32(wanted))
        enlarged = evaluation.baseline(name, scale=4)(frames, times)
        assert enlarged.shape == (4, 8, 8, 3)
        np.testing.assert_allclose(enlarged[:, 4, 4, 0], np.float32(wanted), atol=1e-6)
    with pytest.raises(ValueError, match=r"between 0 and 2, got 2.5"):
        evaluation.baseline("copy")(frames, [2 + HALF])
    with pytest.raises(ValueError, match="unknown baseline 'flow'; available: copy, average, dis"):
        evaluation.baseline("flow")


def test_dis_follows_motion(moving):
    ends = np.float32(moving[[0, 2]]) / 255
    [found] = evaluation.baseline("dis")(ends, [HALF])
    [mean] = evaluation.baseline("average")(ends, [HALF])
    error, blurred = (np.abs(255 * image - moving[1]).mean() for image in (found, mean))
    assert error < blurred / 4


def test_groups_are_the_first_part_of_names_unless_there_are_too_many():
    assert tables.groups(["easy/a", "hard/a", "easy/b"]) == {
        "easy": ["easy/a", "easy/b"],
        "hard": ["hard/a"],
    }
    for names in (["a", "b/c"], ["a/b", "a/c"], [f"{n}/a" for n in range(20)]):
        assert tables.groups(names) == {}
    rows = {"easy/a": {"psnr": 20.0}, "hard/a": {"psnr": 10.0}, "easy/b": {"psnr": 30.0}}
    means = tables.means({"m": rows})
    assert {label: by_model["m"]["psnr"] for label, by_model in means.items()} == {
        "easy (2)": 25,
        "hard (1)": 10,
        "mean of 3": 20,
    }


def test_a_results_page_keeps_other_sections_and_replaces_its_own(tmp_path):
    page = tmp_path / "docs/results.md"
    scores = {"a": {"s": {"psnr": 20.0, "ssim": 0.5, "ie": 3.0}}}
    for title, command in (("one", "first"), ("two", "second"), ("one", "third")):
        markdown.put(page, markdown.results(title, "facts", command, scores))
    text = page.read_text()
    assert text.startswith(markdown.HEAD)
    assert text.index("## one") < text.index("third") < text.index("## two")
    assert "first" not in text
    assert "| mean of 1 | a | 20.00 | 0.5000 | 3.000 |" in text


def test_the_page_of_protocols_is_up_to_date():
    assert (support.ROOT / "docs/protocols.md").read_text() == markdown.protocols()


class Toy(nn.Module):
    """A model that returns fixed values."""

    key: str
    leading: tuple[int, ...]
    levels: int = 0
    contract = Contract(frames=2, times=None, multiple=32)

    def __call__(self, frames, times):
        field = jnp.ones((*self.leading, *frames.shape[-3:-1], 2))
        coarse_first = tuple(jnp.zeros((1, 1, 1, 1, 2)) for _ in range(self.levels - 1))
        value = (*coarse_first, field) if self.levels else field
        return {"frames": frames[:, :1], self.key: value}


@pytest.mark.parametrize(
    "model",
    [
        Toy("flow01", (1,)),
        Toy("flow_t0", (1, 1)),
        Toy("flows", (1, 1, 2), levels=3),
        pytest.param(registry.create("voxel_flow/small"), marks=pytest.mark.slow),
    ],
)
def test_a_model_shows_its_flow_under_whichever_name(model, moving):
    variables = {} if isinstance(model, Toy) else support.variables(model)
    sample = Sample("a", moving[[0, 2], :50, :60], (HALF,), moving[1:2])
    picture = flows.flow_picture(model, variables, sample)
    assert picture.shape == (50, 60, 3)
    assert picture.dtype == np.uint8


def test_a_model_without_flow_shows_none(moving):
    sample = Sample("a", moving[[0, 2]], (HALF,), moving[1:2])
    assert flows.flow_picture(registry.create("blend"), {}, sample) is None
    assert flows.flow_picture(Toy("mask", (1,)), {}, sample) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["memc_net/small", "shared_pyramid", "voxel_flow"])
def test_systems_return_their_flow_under_a_known_name(name):
    model = registry.create(name)
    inputs = registry.example_inputs(model)
    shapes = jax.eval_shape(model.apply, registry.abstract_variables(model), **inputs)
    assert set(flows.KEYS) & set(shapes)


def test_inputs_and_predictions_are_in_order_of_time():
    frames = np.uint8([0, 2])[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    sample = Sample("a", frames, (HALF,), np.ones((1, 4, 4, 3), np.uint8))
    assert extras._played(sample, sample.targets)[:, 0, 0, 0].tolist() == [0, 1, 2]


def test_temporal_consistency_is_measured_pair_by_pair(monkeypatch):
    """Memory must not grow with the length of the clip."""
    shapes = []

    def flow(frame0, frame1, *, network):
        shapes.append(frame0.shape)
        return np.full((*frame0.shape[:-1], 2), frame0.mean(), np.float32)

    monkeypatch.setattr(extras.estimation, "flow", flow)
    frames = np.uint8([0, 255])[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)
    truth, predictions = (np.full((1, 8, 8, 3), value, np.uint8) for value in (0, 51))
    extra = extras.temporal((Toy("flow", ()), {}))
    values = extra.score(Sample("a", frames, (HALF,), truth), predictions)
    assert shapes == [(8, 8, 3)] * 6
    # Flows of the two pairs are 0 and 51 / 255 = 0.2 along both axes, the true ones 0.
    assert values["tof"] == pytest.approx(0.2 * 2**0.5 / 2)


def test_the_command_compares_with_baselines_and_writes_a_results_page(tmp_path, capsys):
    frame_folder.sample(tmp_path / "data")
    page = tmp_path / "results.md"
    command = ["evaluate", str(tmp_path / "data"), "--baselines", "copy,average"]
    assert main([*command, "--markdown", str(page)]) == 0
    assert "average" in capsys.readouterr().out
    text = page.read_text()
    assert f"--baselines copy,average --markdown {page}" in text
    assert "| mean of 2 | copy |" in text
    assert main([*command, "--lpips", "alex"]) == 2
    assert "vfi-jax convert lpips" in capsys.readouterr().err


def test_a_part_of_a_data_set_has_its_own_section_and_folder(tmp_path, capsys):
    vimeo90k.sample(tmp_path / "data", "septuplet")
    command = ["evaluate", "vimeo90k/septuplet", "--root", str(tmp_path / "data")]
    command += ["--baselines", "copy", "--out", str(tmp_path / "out")]
    command += ["--markdown", str(tmp_path / "page.md")]
    assert main([*command, "--split", "fast"]) == 0
    assert main([*command, "--split", "slow"]) == 2
    assert "has scores of data vimeo90k/septuplet, split fast, not" in capsys.readouterr().err
    command[command.index(str(tmp_path / "out"))] = str(tmp_path / "others")
    assert main([*command, "--split", "slow", "--first", "1"]) == 0
    command[command.index(str(tmp_path / "others"))] = str(tmp_path / "all")
    assert main(command) == 0
    page = (tmp_path / "page.md").read_text()
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        "## vimeo90k/septuplet, split fast, protocol default",
        "## vimeo90k/septuplet, split slow, first 1, protocol default",
        "## vimeo90k/septuplet, protocol default",
    ]
    assert "\n1 sequences, split slow, first 1; protocol default" in page
    files = sorted(path.name for path in (tmp_path / "out/sections").iterdir())
    assert files == ["00001%2F0039.html", "00001%2F0040.html"]
