"""Where the seconds go from a command to its first frame, measured in fresh processes."""

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
FRAMES = 3  # of the clip


@dataclasses.dataclass(frozen=True)
class Stage:
    """Seconds of one stage, with nothing compiled before and from the cache.

    Attributes:
      name: of the stage.
      cold: wall and CPU seconds of the first process.
      warm: medians of the later ones.
    """

    name: str
    cold: tuple[float, float]
    warm: tuple[float, float]


def start_stages(model: str, *, size: tuple[int, int], repeats: int) -> list[Stage]:
    """Times every stage of the way to a first frame, then the command on a clip of three frames.

    Each process is a fresh one. The first has an empty cache of compiled programs, the others
    find what it compiled.

    Args:
      model: name of a model whose weights are on this machine.
      size: height and width of the clip.
      repeats: how many processes find the programs in the cache.

    Raises:
      ValueError: the model or its weights are unknown, with the process's own message.
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
    """The stages of `start_stages` for `rich.print`."""
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
    rows["first frame in all"] = [sum(column) for column in zip(*rows.values(), strict=True)]
    for name, seconds in {**rows, COMMAND: command}.items():
        table.add_row(name, *(f"{value:.2f}" for value in seconds))
    return table


def _stage(name, runs):
    cold, *warm = runs
    return Stage(name, cold, tuple(statistics.median(column) for column in zip(*warm, strict=True)))


def _trial(clip, model, cache):
    """Wall and CPU seconds of every stage of one process."""
    (wall, cpu), out = _run([sys.executable, "-P", str(TRIAL), model, str(clip)], cache)
    stages = {name: tuple(pair) for name, pair in json.loads(out.splitlines()[-1]).items()}
    rest = tuple(
        whole - sum(pair[index] for pair in stages.values())
        for index, whole in enumerate((wall, cpu))
    )
    return {PYTHON: rest, **stages}


def _command(clip, model, cache):
    # The program of another process is no import, as a string with its whole name would be.
    command = [sys.executable, "-m", f"{vfi_jax.__name__}.cli", "interpolate", str(clip)]
    command += [str(clip.with_name("out.mp4")), "--model", model, "--overwrite"]
    return _run(command, cache)[0]


def _run(command, cache):
    """((wall, CPU) seconds, what it printed) of a process that keeps programs in `cache`."""
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
    """Frames that no scene cut parts."""
    rows, columns = np.indices(size)
    waves = [np.sin((columns - 2 * index) / 9) * np.sin(rows / 7) for index in range(FRAMES)]
    grey = (127.5 + 100 * np.stack(waves)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)
