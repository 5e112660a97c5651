"""Protocols, scores and the report."""

import json
import shutil
import subprocess
from fractions import Fraction

import numpy as np
import pytest

from tests import support
from vfi_jax import data, evaluation, registry
from vfi_jax.cli.__main__ import main
from vfi_jax.data import sample_tree
from vfi_jax.data.builders import frame_folder
from vfi_jax.data.clip import Clip
from vfi_jax.data.samples import samples
from vfi_jax.evaluation.comparison import compare, write_report
from vfi_jax.evaluation.score import Extra, Sample, Scored, quantise
from vfi_jax.evaluation.tables import mean, means, remarks
from vfi_jax.interpolation import PADDINGS, Interpolator

MIDDLEBURY = support.SHARED / "data/eval/middlebury-other"

# One fixed pair under every protocol: PSNR, SSIM, IE. A change here changes the meaning of every
# score of that protocol.
SCORES = {
    "default": (22.394, 0.9589, 15.384),
    "sepconv": (22.386, 0.9488, 15.410),
    "sepconv-paper-padding": (22.386, 0.9488, 15.410),
    "dain": (22.394, 0.9589, 15.384),
    "rife-vimeo": (22.394, 0.9589, 15.384),
    "rife-ucf101": (22.394, 0.9589, 15.384),
    "rife-middlebury": (22.394, 0.9589, 15.384),
    "rife-hd": (26.106, 0.9265, 15.384),
    "ema": (22.399, 0.9589, 15.383),
    "ema-snu-film": (22.399, 0.9589, 15.383),
    "ema-xiph": (22.394, 0.9488, 15.384),
    "ifrnet": (22.399, 0.9589, 15.383),
    "ifrnet-middlebury": (22.399, 0.9589, 15.383),
    "ifrnet-snu-film": (22.399, 0.9589, 15.383),
    "upr-net": (22.399, 0.9589, 15.383),
    "amt": (22.399, 0.9589, 15.383),
    "amt-snu-film": (22.399, 0.9589, 15.383),
    "amt-xiph": (22.399, 0.9589, 15.383),
    "gmfss": (22.386, 0.9589, 15.410),
    "film": (22.399, 0.9310, 15.383),
    "zsm-vid4": (27.435, 0.9076, 15.383),
    "dvf-ucf101-masked": (22.310, 0.9488, 15.383),
    "xiph-2k": (22.394, 0.9488, 15.384),
    "xiph-4k": (22.394, 0.9488, 15.384),
    "x-test": (22.394, 0.9488, 15.384),
    "snu-film": (22.399, 0.9589, 15.383),
}


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    truth = np.kron(rng.random((8, 8, 3)), np.ones((4, 4, 1)))
    noisy = np.clip(truth + 0.08 * rng.standard_normal(truth.shape), 0, 1)
    return np.float32(noisy), np.uint8(np.rint(truth * 255))


@pytest.fixture
def interpolator():
    return Interpolator(registry.create("blend"), {})


@pytest.mark.parametrize("name", sorted(evaluation.PROTOCOLS))
def test_one_pair_is_scored_under_every_protocol(name, pair):
    prediction, target = pair
    protocol = evaluation.protocol(name)
    mask = np.zeros((*target.shape[:2], 1))
    mask[8:] = 1
    values = evaluation.score(quantise(prediction, protocol.rounding), target, protocol, mask=mask)
    found = [values[metric] for metric in ("psnr", "ssim", "ie")]
    np.testing.assert_allclose(found, SCORES[name], atol=1e-3)
    if protocol.masked:
        with pytest.raises(ValueError, match="motion mask"):
            evaluation.score(prediction, target, protocol)


@pytest.mark.parametrize("name", sorted(evaluation.PROTOCOLS))
def test_names_in_protocols_exist(name):
    protocol = evaluation.protocol(name)
    assert protocol.padding in PADDINGS
    assert protocol.source
    if protocol.data:
        data.find(protocol.data)


@pytest.mark.parametrize(
    ("size", "rows"), [((720, 1280), 24), ((1080, 1920), 4), ((544, 1280), 16)]
)
def test_hd_is_padded_above_and_below_like_its_benchmark(size, rows):
    padding = PADDINGS[evaluation.protocol("rife-hd").padding]
    assert padding.amounts(size, multiple=32) == ((rows, rows), (0, 0))
    assert padding.value == "edge"


def test_four_targets_are_requested_at_their_times():
    frames = tuple(np.full((8, 8, 3), 10 * i, np.uint8) for i in range(5))
    [sample] = samples([Clip("a", frames)], evaluation.protocol("default"))
    assert sample.times == (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
    assert sample.targets[:, 0, 0, 0].tolist() == [10, 20, 30]


def test_vid4_frames_past_the_last_whole_window_are_not_scored():
    protocol = evaluation.protocol("zsm-vid4")
    for count, wanted in ((41, 37), (34, 31), (49, 49), (47, 43)):
        frames = tuple(np.zeros((4, 4, 3), np.uint8) for _ in range(count))
        [sample] = samples([Clip("a", frames)], protocol)
        assert len(sample.targets) == wanted
        assert len(sample.frames) == (wanted + 1) // 2


def test_a_blend_of_a_linear_change_is_perfect(interpolator):
    frames = tuple(np.full((16, 16, 3), 10 * i, np.uint8) for i in range(3))
    [sample] = samples([Clip("a", frames)], evaluation.protocol("default"))
    [scored] = evaluation.evaluate(interpolator, [sample], evaluation.protocol("default"))
    assert scored.mean["ie"] == 0
    assert scored.mean["psnr"] == np.inf
    assert mean({"a": scored.mean, "b": {**scored.mean, "psnr": 30.0}})["psnr"] == 30


def test_a_mean_depends_only_on_its_model():
    """A sequence predicted exactly by one model stays in the means of the others."""
    scores = {
        "exact": {"a": {"psnr": np.inf, "ie": 0.0, "exact": 1.0}, "b": {"psnr": 20.0, "ie": 9.0}},
        "other": {"a": {"psnr": 50.0, "ie": 1.0}, "b": {"psnr": 30.0, "ie": 3.0}},
        "all": {name: {"psnr": np.inf, "ie": 0.0, "exact": 2.0} for name in "ab"},
    }
    assert means(scores)["mean of 2"] == {
        "exact": {"psnr": 20.0, "ie": 4.5},
        "other": {"psnr": 40.0, "ie": 2.0},
        "all": {"psnr": np.inf, "ie": 0.0},
    }
    first, last = remarks(scores)
    assert first.startswith("exact: PSNR over 1 of 2 sequences; 1 frame equals the ground truth")
    assert last.startswith("all: PSNR over 0 of 2 sequences; 4 frames equal the ground truth")


def test_exact_predictions_are_counted_and_excluded_from_the_mean_psnr():
    sample = Sample("a", np.zeros(0), (), np.zeros(0))

    def scored(*psnr):
        scores = [
            {"psnr": value, "ssim": 1 - i, "haarpsi": 0.5, "gmsd": 0.1, "ie": 4.0 * i}
            for i, value in enumerate(psnr)
        ]
        return Scored(sample, np.zeros(0), scores, {"tof": 1.0}).mean

    others = {"ssim": 0.5, "haarpsi": 0.5, "gmsd": 0.1, "ie": 2.0, "tof": 1.0}
    assert scored(np.inf, 20.0) == {"psnr": 20.0, "exact": 1.0, **others}
    assert scored(50.0, 30.0) == {"psnr": 40.0, "exact": 0.0, **others}
    assert scored(np.inf, np.inf)["psnr"] == np.inf


def test_other_models_do_not_change_a_mean(tmp_path, capsys):
    """Copying the first frame is exact for a static clip."""
    frame_folder.sample(tmp_path / "data")
    for name in ("im2.png", "im3.png"):
        shutil.copy(tmp_path / "data/a/im1.png", tmp_path / "data/a" / name)
    found = {}
    for company in ("average", "copy,average"):
        out = tmp_path / company
        command = ["evaluate", str(tmp_path / "data"), "--baselines", company, "--out", str(out)]
        assert main(command) == 0
        found[company] = json.loads((out / "scores.json").read_text())["means"]["mean of 2"]
    assert found["average"]["average"] == found["copy,average"]["average"]
    assert "copy: PSNR over 1 of 2 sequences" in capsys.readouterr().out
    assert "copy: PSNR over 1 of 2 sequences" in (out / "report.html").read_text()


def test_the_mean_of_groups_weights_videos_equally():
    rows = {f"{video}/{i}": {"psnr": 30.0} for video in range(7) for i in range(3)}
    rows |= {f"Sintel{video}/0": {"psnr": 41.0} for video in range(4)}
    found = means({"m": rows}, of=evaluation.protocol("rife-hd").mean)
    assert len(found) == 12
    assert found["Sintel3 (1)"]["m"]["psnr"] == 41
    assert found["mean of 11 groups"]["m"]["psnr"] == pytest.approx((7 * 30 + 4 * 41) / 11)
    assert list(means({"m": rows})) == ["mean of 25"]
    assert list(means({"m": {"a": {"psnr": 30.0}}}, of="groups")) == ["mean of 1"]


def test_a_non_finite_prediction_is_an_error():
    frames = tuple(np.zeros((16, 16, 3), np.uint8) for _ in range(3))
    [sample] = samples([Clip("a", frames)], evaluation.protocol("default"))

    def broken(frames, times):
        return np.full((1, 16, 16, 3), np.nan)

    with pytest.raises(ValueError, match="sample a is not finite"):
        next(evaluation.evaluate(broken, [sample], evaluation.protocol("default")))


def test_a_folder_with_another_index_is_rejected(tmp_path):
    (tmp_path / "index.json").write_text('[{"frame0": "a.png"}]')
    with pytest.raises(ValueError, match=r"index.json is not a list of .*gap_class"):
        list(data.clips("frame_folder", tmp_path, "whole"))


def test_a_clip_of_two_sizes_is_named():
    frames = (np.zeros((16, 16, 3), np.uint8), *(np.zeros((8, 8, 3), np.uint8) for _ in range(2)))
    with pytest.raises(ValueError, match=r"clip a has frames of \(8, 8, 3\) and \(16, 16, 3\)"):
        next(samples([Clip("a", frames)], evaluation.protocol("default")))


def test_an_evaluation_resumes_and_rejects_other_models(interpolator, tmp_path):
    frame_folder.sample(tmp_path / "data")
    clips = list(data.clips("frame_folder", tmp_path / "data", "whole"))
    protocol = evaluation.protocol("default")
    out = tmp_path / "out"
    first = compare({"blend": interpolator}, samples(clips[:1], protocol), protocol, out=out)
    both = compare({"blend": interpolator}, samples(clips, protocol), protocol, out=out)
    assert both["blend"]["a"] == first["blend"]["a"]
    assert len((out / "scores.jsonl").read_text().splitlines()) == 2
    with pytest.raises(ValueError, match="has scores of models blend, not other"):
        compare({"other": interpolator}, [], protocol, out=out)
    with pytest.raises(ValueError, match=r"has scores of protocol .*rounding=round.*, not "):
        compare({"blend": interpolator}, [], evaluation.protocol("sepconv"), out=out)
    further = Extra(("lpips",), "vgg", lambda sample, predictions: {"lpips": 0.0})
    with pytest.raises(ValueError, match=r"metrics psnr, ssim, .*, ie, not psnr, .*, lpips by vgg"):
        compare({"blend": interpolator}, [], protocol, extras=[further], out=out)
    with (out / "scores.jsonl").open("a") as file:
        file.write('{"sample": "c 0123", "sco')  # killed while it wrote
    sample_tree.picture(tmp_path / "data/a/im2.png", 9)  # other pixels under the same name
    again = compare({"blend": interpolator}, samples(clips, protocol), protocol, out=out)
    assert again["blend"]["a"] != first["blend"]["a"]
    assert again["blend"]["b"] == both["blend"]["b"]
    page = write_report(out, both, title="t & t", facts="f").read_text()
    assert "t &amp; t" in page
    assert page.count("<h2>") == 2
    means = json.loads((out / "scores.json").read_text())["means"]
    assert set(means["mean of 2"]["blend"]) == {*("psnr", "ssim", "haarpsi", "gmsd", "ie")}


def test_a_page_shows_only_samples_of_its_run(interpolator, tmp_path):
    protocol = evaluation.protocol("default")
    frames = tuple(np.full((16, 16, 3), i, np.uint8) for i in (0, 9, 3))
    clips = [Clip(name, frames) for name in "abc"]

    def pictured(clips, pictures):
        chosen = samples(clips, protocol)
        scores = compare({"blend": interpolator}, chosen, protocol, out=tmp_path, pictures=pictures)
        page = write_report(tmp_path, scores, title="t", facts="f", pictures=pictures).read_text()
        return [name for name in "abc" if f"<h2>{name}</h2>" in page]

    assert pictured(clips[:2], 1) == ["a"]
    assert pictured(clips[1:], 2) == ["b", "c"]  # b had no section; a is not evaluated again
    assert pictured(clips, 2) == ["a", "b"]
    assert len((tmp_path / "scores.jsonl").read_text().splitlines()) == 3


def test_duplicate_sample_names_are_rejected(interpolator):
    """Otherwise the scores of the later one would be used for both."""
    protocol = evaluation.protocol("default")
    clips = [Clip("a", tuple(np.full((16, 16, 3), i, np.uint8) for i in range(3)))] * 2
    with pytest.raises(ValueError, match="unique names, got two named a; rename one"):
        compare({"blend": interpolator}, samples(clips, protocol), protocol)


def test_frame_average_and_frame_copy_reproduce_the_published_baselines():
    """Truncated average 28.02 / .8044 / 5.73, copy of the first frame 24.75 / .7527 / 7.63."""
    if not MIDDLEBURY.exists():
        pytest.skip("the Middlebury images are not here")
    protocol = evaluation.protocol("sepconv")
    rows = {"average": {}, "copy": {}}
    for sample in samples(data.clips("middlebury", MIDDLEBURY, "test"), protocol):
        total = sample.frames.astype(np.int32).sum(0) // 2
        for kind, image in (("average", total), ("copy", sample.frames[0])):
            rows[kind][sample.name] = evaluation.score(image, sample.targets[0], protocol)
    found = {kind: mean(values) for kind, values in rows.items()}
    for kind, wanted in (("average", (28.02, 0.8044, 5.73)), ("copy", (24.75, 0.7527, 7.63))):
        values = [found[kind][metric] for metric in ("psnr", "ssim", "ie")]
        assert np.all(np.abs(np.subtract(values, wanted)) <= (0.0051, 0.000051, 0.0051))


def test_the_command_scores_a_folder_and_reports_errors(tmp_path, capsys):
    frame_folder.sample(tmp_path / "data")
    out = tmp_path / "out"
    command = ["evaluate", str(tmp_path / "data"), "--model", "blend", "--out", str(out)]
    assert main(command) == 0
    assert "mean" in capsys.readouterr().out
    assert (out / "report.html").exists()
    assert main(["evaluate", "middlebry"]) == 2
    assert "did you mean middlebury" in capsys.readouterr().err
    assert main([*command, "--flow-scale", "0.5"]) == 2
    assert "option of blend 'flow_scale'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_browser_shows_the_report_without_errors(interpolator, tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no browser is installed")
    frame_folder.sample(tmp_path / "data")
    protocol = evaluation.protocol("default")
    clips = data.clips("frame_folder", tmp_path / "data", "whole")
    out = tmp_path / "out"
    scores = compare({"blend": interpolator}, samples(clips, protocol), protocol, out=out)
    page = write_report(out, scores, title="t", facts="f")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [browser, *flags, profile, "--enable-logging=stderr", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "PSNR" in done.stdout
    assert "CONSOLE" not in done.stderr
