"""Releasing a finished run: weights in the package, and their model card."""

import json

import jax
import numpy as np
import pytest

from tests import support
from train import release
from vfi_jax import registry, weights
from vfi_jax.data.builders import video_folder
from vfi_jax.weights.places import packaged_folder

NAME = "voxel_flow/small"
CLIPS = [
    {
        "file": f"{split}/{name}.mp4",
        "split": split,
        "segments": [{"start": 0, "n": 9}] * 2,
        "source": {"url": f"example.org/{name}"},
        "licence_class": licence,
    }
    for name, split, licence in [
        ("river", "train", "MIT"),
        ("street", "train", "none stated"),
        ("market", "val", "MIT"),
    ]
]
RECORD = {
    "command": ["python", "-m", "train", NAME, "--data-dir", "/some/clips", "--workdir", "/a/run"],
    "options": {"system": NAME, "licences": ["MIT"], "start_from": NAME},
    "recipe": {
        "model": NAME,
        "data": ["video_folder", "synthetic"],
        "batch": 4,
        "crop": [96, 64],
        "steps": 7250,
        "optimizer": {"rule": "muon", "learning_rate": 0.01},
        "ema": 0.99,
    },
    "devices": ["cpu"],
    "packages": {"jax": "1.2.3"},
    "commit": "c0ffee",
}
METRICS = [
    {"step": 50, "kind": "train", "steps_per_second": 0.0},
    {"step": 7250, "kind": "train", "steps_per_second": 2.0},
    {"step": 7250, "kind": "eval", "psnr": 31.256},
]


@pytest.fixture
def run(tmp_path, nothing_ships):
    folder = tmp_path / "run"
    # Its initial weights.
    weights.save(packaged_folder(NAME), NAME, support.variables(registry.create(NAME)))
    weights.save(folder / "weights", NAME, support.variables(registry.create(NAME)))
    (tmp_path / "index.json").write_text(json.dumps({"clips": CLIPS}))
    record = {**RECORD, "options": {**RECORD["options"], "data_dir": str(tmp_path)}}
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, METRICS)) + "\n")
    return folder


def test_the_card_lists_training_and_data(run, tmp_path):
    card = release.release(run).read_text()
    assert "python -m train voxel_flow/small --data-dir DATA --workdir DIR\n" in card
    assert "- training: 7,250 steps, batches of 4 crops of 96x64 pixels\n" in card
    assert "- initial weights: voxel_flow/small at the first commit below\n" in card
    assert "1 x cpu, 1.0 hours" in card
    assert "| 7,250 | 31.26 |" in card
    assert "| river | 2 | example.org/river | MIT |" in card
    assert "street" not in card
    assert "market" not in card
    assert "/elsewhere" not in card


def test_the_card_describes_continued_runs(run, tmp_path):
    record = json.loads((run / "run.json").read_text())
    later, start = tmp_path / "later", ["--start-from", str(run / "weights")]
    weights.save(later / "weights", NAME, support.variables(registry.create(NAME)))
    record["options"] = {**record["options"], "start_from": start[1], "licences": ["none stated"]}
    record = {**record, "command": [*RECORD["command"], *start], "commit": "decaf"}
    (later / "run.json").write_text(json.dumps(record))
    (later / "metrics.jsonl").write_text(json.dumps(METRICS[1]) + "\n")
    card = release.release(later).read_text()
    first, second = card.split("```")[1].strip().splitlines()
    assert first.endswith("--workdir BEFORE")
    assert second.endswith("--workdir DIR --start-from BEFORE/weights")
    assert (
        "first commit below; then voxel_flow/small: 7,250 steps, batches of 4 crops of 96x64"
        in card
    )
    assert "- commit: c0ffee, then decaf\n" in card
    assert "| river | 2 |" in card
    assert "| street | 2 |" in card
    assert str(tmp_path) not in card


def test_the_card_includes_earlier_training_of_included_weights(run, tmp_path):
    release.release(run)
    record = json.loads((run / "run.json").read_text())
    record["options"]["licences"] = ["none stated"]
    (run / "run.json").write_text(json.dumps({**record, "commit": "decaf"}))
    card = release.release(run).read_text()
    now, before = card.split("## Earlier training\n")
    assert "- commit: decaf\n" in now
    assert "- commit: c0ffee\n" in before
    assert "| 7,250 | 31.26 |\n\n## Data" in before
    assert "| river | 2 | example.org/river | MIT |\n| street | 2 |" in before


def changed(run, *, recipe=(), **options):
    """Change the recipe and options in the run's record."""
    record = json.loads((run / "run.json").read_text())
    record["recipe"] |= dict(recipe)
    record["options"] |= options
    (run / "run.json").write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("options", "recipe"),
    [
        ({"start_from": "/somewhere/rife.pth"}, {}),
        ({"start_from": "sepconv/l1"}, {}),
        ({"start_from": ""}, {"start_from": {"flow": "pwc_net", "depth": "megadepth"}}),
    ],
)
def test_weights_fine_tuned_from_foreign_weights_are_rejected(run, options, recipe):
    changed(run, recipe=recipe, **options)
    with pytest.raises(ValueError, match=r"started from .* cannot be released under Apache-2\.0"):
        release.release(run)
    assert not packaged_folder(NAME).with_suffix(".md").exists()


def test_user_weights_are_not_mistaken_for_included_weights(run):
    weights.save(NAME, NAME, support.variables(registry.create(NAME)))
    with pytest.raises(ValueError, match=f"started from {NAME}, which is not among the package's"):
        release.release(run)


def test_pretrained_parts_are_named(run):
    changed(run, recipe={"start_from": {"flow": NAME}, "frozen": {"teacher": NAME}}, start_from="")
    card = release.release(run).read_text()
    assert f"- initial weights: {NAME} (flow) at the first commit below\n" in card
    assert f"- frozen networks of the loss: {NAME} (teacher)\n" in card


def test_the_card_mentions_the_moving_average_only_if_used(run):
    changed(run, recipe={"ema": 0.0})
    card = release.release(run).read_text()
    assert "- stored: parameters of the last step\n" in card
    assert "moving average" not in card


def test_data_sets_are_described(run):
    changed(run, recipe={"data": ["vimeo90k/triplet", "gopro"]})
    card = release.release(run).read_text()
    assert "`vimeo90k/triplet`: Vimeo-90K (Xue et al. 2019" in card
    assert "`gopro`: GoPro (Nah et al. 2017" in card
    assert "Procedural" not in card


def test_videos_without_an_index_are_reported_as_unlisted(run, tmp_path):
    video_folder.sample(tmp_path / "own")
    changed(run, data_dir=str(tmp_path / "own"), licences=[])
    card = release.release(run).read_text()
    assert "states neither their source nor their licence." in card
    assert "| clip |" not in card
    (tmp_path / "own/index.json").write_text(json.dumps({"clips": [{"file": "train/a.avi"}]}))
    card = release.release(run).read_text()
    assert "states neither" not in card
    assert "| a | all | not stated | not stated |" in card


def test_the_weights_are_stored_in_half_precision(run):
    folder = release.release(run).with_suffix("")
    _, found = weights.load(folder)
    _, exact = weights.load(run / "weights")
    wanted = jax.tree.map(lambda a: np.asarray(a).astype(np.float16), exact)
    jax.tree.map(np.testing.assert_array_equal, found, wanted)


def test_kernels_are_rounded_on_request(run):
    card = release.release(run, steps=16)
    assert "as float16, kernels to 1/16 of their root mean square;" in card.read_text()
    _, found = weights.load(card.with_suffix(""))
    _, exact = weights.load(run / "weights")
    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(exact), strict=True):
        step = 2.0 ** np.floor(np.log2(np.sqrt(np.square(theirs).mean()))) / 16
        if theirs.ndim == 1:
            np.testing.assert_array_equal(ours, np.asarray(theirs, np.float16))
        else:
            np.testing.assert_array_equal(ours, np.round(theirs / step) * step)


@pytest.mark.parametrize("steps", [-16, 12])
def test_steps_must_be_a_power_of_two(run, steps):
    with pytest.raises(ValueError, match=f"steps must be a power of two.*got {steps}"):
        release.release(run, steps=steps)


def test_an_unfinished_run_is_rejected(tmp_path):
    with pytest.raises(ValueError, match="must contain a finished run"):
        release.release(tmp_path)
