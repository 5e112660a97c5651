import numpy as np
import pytest

from vfi_jax import metrics
from vfi_jax.cli.__main__ import main
from vfi_jax.video import write_frames

FRAMES = np.random.default_rng(0).integers(0, 256, (8, 18, 21, 3), np.uint8)


def test_videos_get_the_score_of_the_metric_and_a_mean(tmp_path, capsys):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder, frames in zip(folders, (FRAMES, FRAMES[:4] // 2), strict=True):
        write_frames(folder, frames)
    assert main(["smoothness", *map(str, folders), "--model", "blend", "--batch", "2"]) == 0
    shown = [float(line.split()[0]) for line in capsys.readouterr().out.splitlines()]

    def average(frames, times):
        return frames.mean(1, keepdims=True)

    wanted = [float(metrics.motion_smoothness(clip, average)) for clip in (FRAMES, FRAMES[:4] // 2)]
    np.testing.assert_allclose(shown, [*wanted, np.mean(wanted)], atol=1e-5)


@pytest.mark.parametrize(
    ("count", "words", "message"),
    [
        (2, ["--model", "blend"], "must have at least 3 frames, got 2"),
        (3, ["--model", "zooming_slow_mo/small"], "--model must predict the middle of two frames"),
        (3, ["--model", "blend", "--batch", "0"], "--batch must be at least 1, got 0"),
    ],
)
def test_user_errors_are_one_line(tmp_path, capsys, count, words, message):
    write_frames(tmp_path / "a", FRAMES[:count])
    assert main(["smoothness", str(tmp_path / "a"), *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
