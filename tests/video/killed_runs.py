"""Runs of the video tool that are killed at random moments, resumed and compared by their bytes.

python -m tests.video.killed_runs --runs 5
"""

import argparse
import dataclasses
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vfi_jax.video import workspace
from vfi_jax.video.segments import digest

from .clips import frames, make

COUNT = 100  # input frames; twice as many output frames less one, in two segments


@dataclasses.dataclass(frozen=True)
class Kill:
    """One run that was killed and resumed.

    Attributes:
      moment: seconds from the first file that the process wrote to SIGKILL.
      visible: names of files that it left outside of the hidden workspace.
      resumed: output frames that the second run did not compute again.
      identical: whether the result has the bytes of an uninterrupted run.
    """

    moment: float
    visible: list[str]
    resumed: int
    identical: bool


def make_source(folder: Path) -> Path:
    """A video of `COUNT` frames with audio."""
    return make(folder / "source.mp4", frames(COUNT, height=240, width=320), audio="aac")


def killed_runs(source: Path, folder: Path, suffix: str, *, runs: int, seed: int) -> list[Kill]:
    """Kill runs at moments that are uniform over the time of work of an uninterrupted run.

    Args:
      source: the video.
      folder: an empty folder for the targets.
      suffix: of the targets; "": folders of images.
      runs: number of runs to kill; runs that ended before their moment do not count.
      seed: of the moments.
    """
    moments, kills = random.Random(seed), []
    whole, target = folder / f"whole{suffix}", folder / f"target{suffix}"
    process = _working(source, whole)
    started = time.monotonic()
    process.communicate()
    duration = time.monotonic() - started
    while len(kills) < runs:
        moment = moments.uniform(0, duration)
        process = _working(source, target)
        time.sleep(moment)
        process.kill()
        process.communicate()
        if not target.exists():
            kept = {whole.name, workspace.folder_of(target.resolve()).name}
            visible = sorted({path.name for path in folder.iterdir()} - kept)
            report, _ = _start(source, target).communicate()
            resumed = re.search(r"resumed: (\d+) frames", report)
            frames_kept = int(resumed[1]) if resumed else 0
            same = digest(_files(target)) == digest(_files(whole))
            kills.append(Kill(moment, visible, frames_kept, same))
        _remove(target)
    return kills


def _start(source, target):
    words = ["interpolate", str(source), str(target), "--model", "blend", "--resume"]
    command = [sys.executable, "-m", "vfi_jax.cli", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _working(source, target):
    """A process that has imported its libraries and begun to write."""
    process = _start(source, target)
    while not workspace.folder_of(target.resolve()).exists() and process.poll() is None:
        time.sleep(0.01)
    return process


def _files(target):
    return sorted(target.iterdir()) if target.is_dir() else [target]


def _remove(target):
    shutil.rmtree(target) if target.is_dir() else target.unlink()


def main() -> None:
    """Print what became of the runs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5, help="for each kind of target")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for suffix in (".mp4", ""):
        with tempfile.TemporaryDirectory() as name:
            source = make_source(Path(name))
            folder = Path(name) / "targets"
            folder.mkdir()
            for kill in killed_runs(source, folder, suffix, runs=given.runs, seed=given.seed):
                print(suffix or "folder", kill, flush=True)


if __name__ == "__main__":
    main()
