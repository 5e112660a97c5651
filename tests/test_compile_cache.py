"""Programs that were compiled once are not compiled again."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import PIL.Image
import pytest

from tests import support
from vfi_jax import compile_cache

COUNT = """
import json, sys
import jax
from vfi_jax.cli.__main__ import main

counts = {}
def count(event, **_):
    counts[event] = counts.get(event, 0) + 1

jax.monitoring.register_event_listener(count)
code = main(sys.argv[1:])
prefix = "/jax/compilation_cache/cache_"
print(json.dumps([code, counts.get(prefix + "hits", 0), counts.get(prefix + "misses", 0)]))
"""


def test_the_users_settings_are_kept():
    environment = {compile_cache.FOLDER: "mine"}
    assert str(compile_cache.switch_on(environment)) == "mine"
    assert environment == {compile_cache.FOLDER: "mine"}
    environment = {}
    folder = compile_cache.switch_on(environment)
    assert environment[compile_cache.FOLDER] == str(folder)
    assert environment[compile_cache.LIMIT] == str(compile_cache.SIZE)
    assert folder.parts[-2:] == ("vfi_jax", "compiled")


def test_remains_of_a_killed_process_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(compile_cache.platformdirs, "user_cache_dir", lambda *_, **__: tmp_path)
    folder = tmp_path / "compiled"
    folder.mkdir()
    old = time.time() - 2 * compile_cache.BEING_WRITTEN
    for name in ("whole-cache", "whole-atime", "half-cache", "new-cache"):
        (folder / name).write_bytes(b"")
        if name != "new-cache":
            os.utime(folder / name, (old, old))
    compile_cache.switch_on({})
    assert {path.name for path in folder.iterdir()} == {"whole-cache", "whole-atime", "new-cache"}


@pytest.mark.slow
def test_a_second_clip_of_the_same_size_compiles_nothing(tmp_path):
    environment = os.environ | {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache"),
        "JAX_COMPILATION_CACHE_MAX_SIZE": str(compile_cache.SIZE),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    rng = np.random.default_rng(0)

    def run(name, *options):
        folder = tmp_path / name
        folder.mkdir()
        for index in range(3):
            image = rng.integers(0, 256, (32, 48, 3), np.uint8)
            PIL.Image.fromarray(image).save(folder / f"{index}.png")
        target = str(tmp_path / f"{name}-out")
        command = ["interpolate", str(folder), target, "--model", "blend", *options]
        done = subprocess.run(
            [sys.executable, "-c", COUNT, *command],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
            cwd=support.ROOT,
        )
        return json.loads(done.stdout.splitlines()[-1])

    code, hits, misses = run("first")
    assert (code, hits) == (0, 0)
    assert misses > 0
    assert run("second") == [0, misses, 0]
    for entry in (tmp_path / "cache").glob("*-cache"):
        entry.write_bytes(b"damaged")
    code, hits, _ = run("third")
    assert (code, hits) == (0, 0)
