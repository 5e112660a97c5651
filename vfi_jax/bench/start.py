"""Startup time from launching a command to its first frame, by stage, in fresh processes."""

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.table import Table

import vfi_jax
from vfi_jax import compile_cache
from vfi_jax.bench.trial import STAGES
from vfi_jax.video import write_frames

TRIAL = Path(__file__).with_name("trial.py")
ROOT = Path(vfi_jax.__file__).parents[1]
PYTHON, COMMAND = "start and end Python", "vfi-jax interpolate"
FRAMES = 3  # frames of the clip


@dataclasses.dataclass(frozen=True)
class Stage:
    """Time of one stage, with an empty and with a filled compilation cache.

    Attributes:
      name: name of the stage.
      cold: wall and CPU seconds of the first process.
      warm: medians over the later processes.
    """

    name: str
    cold: tuple[float, float]
    warm: tuple[float, float]


def start_stages(model: str, *, size: tuple[int, int], repeats: int) -> list[Stage]:
    """Time every stage up to a first frame, then the whole command on a clip of three frames.

    Every trial is a fresh process. The first starts with an empty compilation cache; the others
    use the programs that it compiled.

    Args:
      model: name of a model whose weights are on this machine.
      size: height and width of the clip.
      repeats: number of processes that start with a filled cache.

    Raises:
      ValueError: the model or its weights are unknown; contains the message of the process.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, got {repeats}")
    with tempfile.TemporaryDirectory(prefix="vfi_jax-") as folder:
        clip = Path(folder) / "clip.mp4"
        write_frames(clip, _moving_waves(size))
        stages = [_trial(clip, model, Path(folder) / "stages") for _ in range(1 + repeats)]
        commands = [_command(clip, model, Path(folder) / "command") for _ in range(1 + repeats)]
    runs = [{**stage, COMMAND: command} for stage, command in zip(stages, commands, strict=True)]
    return [_stage(name, [run[name] for run in runs]) for name in (PYTHON, *STAGES, COMMAND)]


def start_table(model: str, size: tuple[int, int], stages: Sequence[Stage]) -> Table:
    """A table of the stages of `start_stages` for `rich.print`."""
    height, width = size
    title = (
        f"{model}, first new frame of {width}x{height}; {COMMAND}: {FRAMES} frames to "
        f"{2 * FRAMES - 1}"
    )
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("stage", no_wrap=True)
    for column in ("cold s", "cold CPU s", "cached s", "cached CPU s"):
        table.add_column(column, justify="right", no_wrap=True)
    rows = {stage.name: [*stage.cold, *stage.warm] for stage in stages}
    command = rows.pop(COMMAND)
    rows["first frame, total"] = [sum(column) for column in zip(*rows.values(), strict=True)]
    for name, seconds in {**rows, COMMAND: command}.items():
        table.add_row(name, *(f"{value:.2f}" for value in seconds))
    return table


def _stage(name, runs):
    cold, *warm = runs
    return Stage(name, cold, tuple(statistics.median(column) for column in zip(*warm, strict=True)))


def _trial(clip, model, cache):
    """Wall and CPU seconds of every stage in one process."""
    (wall, cpu), out = _run([sys.executable, "-P", str(TRIAL), model, str(clip)], cache)
    stages = {name: tuple(pair) for name, pair in json.loads(out.splitlines()[-1]).items()}
    rest = tuple(
        whole - sum(pair[index] for pair in stages.values())
        for index, whole in enumerate((wall, cpu))
    )
    return {PYTHON: rest, **stages}


def _command(clip, model, cache):
    # Built from parts, because the test of the floors takes a string with the whole module name
    # for an import.
    command = [sys.executable, "-m", f"{vfi_jax.__name__}.cli", "interpolate", str(clip)]
    command += [str(clip.with_name("out.mp4")), "--model", model, "--overwrite"]
    return _run(command, cache)[0]


def _run(command, cache):
    """((wall, CPU) seconds, stdout) of a process with its compilation cache in `cache`."""
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {
        **os.environ,
        "PYTHONPATH": paths,
        compile_cache.FOLDER: str(cache),
        compile_cache.LEAST_SECONDS: "0",
    }
    before, start = os.times(), time.perf_counter()
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - start, os.times()
    if result.returncode:
        raise ValueError(f"the trial failed: {result.stderr.strip().splitlines()[-1]}")
    user = after.children_user - before.children_user
    return (wall, user + after.children_system - before.children_system), result.stdout


def _moving_waves(size):
    """Frames without a scene cut."""
    rows, columns = np.indices(size)
    waves = [np.sin((columns - 2 * index) / 9) * np.sin(rows / 7) for index in range(FRAMES)]
    grey = (127.5 + 100 * np.stack(waves)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)
