"""Monitoring of a run: rates, FLOP/s, traces, and loggers."""

import json
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vfi_jax.devices import peaks
from vfi_jax.training import loggers, run, watch
from vfi_jax.training.log import Log
from vfi_jax.training.options import Options
from vfi_jax.training.watch import Profile, Watch, count_flops


def test_flops_of_all_steps_of_a_scan_are_counted_and_a_call_does_not_trace_again():
    traced = []

    def steps(x, count):
        def one(x, _):
            traced.append(count)
            return x @ x, None

        return jax.lax.scan(one, x, length=count)[0]

    jitted, x = jax.jit(steps, static_argnums=1), jnp.eye(16)
    counts = [count_flops(jitted.trace(x, count)) for count in (1, 4)]
    assert counts == [2 * 16**3, 4 * 2 * 16**3]
    jitted(x, 4)
    assert len(traced) == len(set(traced)) == 2


def test_rates_are_measured_since_the_previous_line(monkeypatch):
    clock = iter([0.0, 0.0, 3.0, 4.0, 10.0, 10.0])
    monkeypatch.setattr(watch.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(watch, "peaks", lambda kind: peaks("NVIDIA H200"))
    one = Watch(batch=8, dtype="bfloat16")
    one.flops = 1e12
    assert one.metrics(3)["steps_per_second"] == 0
    one._start, one._waited = (3, 0.0), 0.0
    with one.waiting():
        pass
    found = one.metrics(23)
    assert found["steps_per_second"] == 2
    assert found["clips_per_second"] == 16
    assert found["flops_per_second"] == 2e12
    assert found["mfu"] == pytest.approx(2e12 / (989e12 * jax.device_count()))
    assert found["data_wait"] == pytest.approx(0.1)


def test_a_trace_covers_the_requested_steps(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(jax.profiler, "start_trace", lambda folder: calls.append(folder))
    monkeypatch.setattr(jax.profiler, "stop_trace", lambda: calls.append("stop"))
    steps = run.profiled(Options(system="dain", workdir="run", profile="2:4"))
    with Profile(tmp_path, steps) as profile:
        for step in range(6):
            profile.before(step, 1)
            calls.append(step)
            profile.after(step + 1, {})
    assert calls == [0, 1, str(tmp_path), 2, 3, "stop", 4, 5]
    calls.clear()
    with Profile(tmp_path, range(12, 13)) as profile:
        for step in (0, 10, 20):
            profile.before(step, 10)
            calls.append(step)
            profile.after(step + 10, {})
    assert calls == [0, str(tmp_path), 10, "stop", 20]
    for wrong in ("3", "4:4", "a:b", "-1:2"):
        with pytest.raises(ValueError, match=f"--profile must be FIRST:STOP, .* got '{wrong}'"):
            run.profiled(Options(system="dain", workdir="run", profile=wrong))


class FakeRun:
    """A fake W&B run."""

    def __init__(self, **options):
        self.options, self.lines = options, []

    def log(self, values, step):
        self.lines.append((step, values))

    def finish(self):
        self.lines.append("finished")


def test_metrics_are_sent_to_wandb_and_resumed_runs_continue(tmp_path, monkeypatch):
    runs = []
    fake = types.ModuleType("wandb")
    fake.init = lambda **options: runs.append(FakeRun(**options)) or runs[-1]
    fake.Image = lambda pixels: pixels.shape
    monkeypatch.setitem(sys.modules, "wandb", fake)
    for start in (0, 5):
        about = {"steps": 9, "start": start, "name": "gs://b/run", "config": {"seed": 1}}
        with Log(tmp_path, loggers=("wandb",), **about) as log:
            log.scalars(start + 1, {"loss": np.float32(0.5)})
            log.strip(start + 1, np.zeros((4, 8, 3), np.uint8))
    assert [run.lines for run in runs] == [
        [(step, {"train/loss": 0.5}), (step, {"strip": (4, 8, 3)}), "finished"] for step in (1, 6)
    ]
    first, second = (run.options for run in runs)
    assert first["id"] == second["id"]
    assert first["config"] == {"seed": 1}
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"step": step, "kind": "train", "loss": 0.5} for step in (1, 6)
    ]
    assert not (tmp_path / "tensorboard").exists()  # not named


def test_requested_loggers_must_be_installed(tmp_path, monkeypatch):
    about = {"name": "run", "config": {}, "start": 0}
    with pytest.raises(ValueError, match="unknown logger 'tensorbord'; did you mean tensorboard"):
        loggers.open_loggers(("tensorbord",), tmp_path, **about)
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    opened, notes = loggers.open_loggers((), tmp_path, **about)
    assert len(opened) == 1
    assert notes == ["no tensorboard files: tensorboardX is not installed"]
    with pytest.raises(ModuleNotFoundError):
        loggers.open_loggers(("tensorboard",), tmp_path, **about)
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ValueError, match="requires wandb: pip install wandb"):
        loggers.open_loggers(("wandb",), tmp_path, **about)
