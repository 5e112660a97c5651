"""Checks of the pages: Python blocks run, commands parse and run, pictures and links exist."""

import dataclasses
import importlib.util
import re
import shlex
from pathlib import Path

import jax
import numpy as np
import pytest
import tyro
from PIL import Image

import vfi_jax
from tests import support
from vfi_jax import draw, lookup, metrics, ops, registry, video
from vfi_jax.cli.__main__ import COMMANDS, commands
from vfi_jax.data.scene import Scene

DOCS = support.ROOT / "docs"
IN_JAX = DOCS / "in_jax.md"
PAGES = [support.ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`(vfi-jax [^` ]* [^`]*)`")  # with an argument; else it is only a name
OPEN_ENDED = ("...", "COMMAND", "NAME", "[FILE]")  # marks of a pattern, which is no command
PICTURE_BYTES = 2**20  # of all pictures together
# Replacements for released weights, and for the default, which takes long to compile.
SMALLER = {'"amt/s"': '"blend"', 'network="pwc_net"': 'network="tween"', "load()": 'load("tween")'}


def _programs(page):
    return [text for language, text in FENCE.findall(page.read_text()) if language == "python"]


def _commands():
    """(page, words) of every `vfi-jax` and `python -m` line of a page."""
    found = {}
    for page in PAGES:
        text = page.read_text()
        lines = [
            line for language, block in FENCE.findall(text) for line in _lines(block, language)
        ]
        for line in [*lines, *INLINE.findall(FENCE.sub("", text))]:
            if not any(mark in line for mark in OPEN_ENDED):
                words = tuple(shlex.split(line, comments=True))
                found.setdefault(words, page.relative_to(support.ROOT).as_posix())
    return [(page, list(words)) for words, page in found.items()]


def _lines(block, language):
    whole = block.replace("\\\n", " ").splitlines() if language in ("", "bash") else []
    return [line for line in whole if line.startswith(("vfi-jax ", "python -m "))]


PROGRAMS = [page for page in PAGES if page != IN_JAX and _programs(page)]
WORDS = _commands()
RUN = ("interpolate", "blur", "models", "flow", "match")  # by other tests: all others
RUNNING = [words for _, words in WORDS if words[0] == "vfi-jax" and words[1:2][0] in RUN]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _names_of_pages():
    """Names that code fragments of a page presuppose."""
    rng = np.random.default_rng(0)
    image = rng.random((16, 20, 3), np.float32)
    flow = rng.uniform(-2, 2, (16, 20, 2)).astype(np.float32)
    return {
        "vfi_jax": vfi_jax,
        "jax": jax,
        "ops": ops,
        "metrics": metrics,
        "frame": image,
        "clips": rng.integers(0, 256, (1, 5, 32, 32, 3), np.uint8),
        "image": image,
        "flow": flow,
        "metric": image[..., :1],
        "features0": image,
        "features1": image,
        "x": rng.random((16, 20, 16), np.float32),
        "offset": np.zeros((16, 20, 144), np.float32),
        "mask": np.ones((16, 20, 72), np.float32),
        "kernel": rng.random((3, 3, 16, 4), np.float32),
        "vertical": rng.random((14, 18, 3), np.float32),
        "horizontal": rng.random((14, 18, 3), np.float32),
    }


@pytest.mark.slow
@pytest.mark.parametrize("page", PROGRAMS, ids=lambda page: page.stem)
def test_python_blocks_of_a_page_run_in_order(page, folder):
    names = _names_of_pages()
    for text in _programs(page):
        for full, small in SMALLER.items():
            text = text.replace(full, small)
        exec(compile(text, page.name, "exec", dont_inherit=True), names)


@pytest.mark.parametrize(("page", "words"), WORDS, ids=lambda value: str(value)[:60])
def test_commands_of_a_page_are_parsed(page, words):
    if words[0] == "python":
        assert importlib.util.find_spec(words[2]), f"{page}: no module {words[2]}"
        return
    if words[1].startswith("--"):
        assert words[1] in ("--version", "--help")
        return
    assert words[1] in commands(), f"{page}: no command {words[1]}"
    _parsed(words)


@pytest.mark.slow
@pytest.mark.parametrize("words", RUNNING, ids=lambda words: " ".join(words)[:60])
def test_commands_of_a_page_run(words, folder, capsys):
    """On a clip of a few seconds, or two images, by the baseline that needs no weights."""
    if "--help" in words:
        return
    args = _parsed(words)
    paths = list(getattr(args, "paths", []))  # SOURCE TARGET, or sources of a batch
    targets = [args.output_dir or paths.pop()] if paths else []
    for path in paths:
        _write_input(Path(path))
    for name in ("first", "second"):
        if hasattr(args, name):
            _write_input(Path(getattr(args, name)))
    light = {"model": "blend", "network": "tween", "weights": None, "flow_scale": None, "grid": 16}
    known = {field.name for field in dataclasses.fields(args)}
    args = dataclasses.replace(args, **{k: v for k, v in light.items() if k in known})
    assert lookup.module(COMMANDS, words[1], kind="command").run(args) == 0
    targets += [args.out] if getattr(args, "out", None) else []
    if not getattr(args, "dry_run", False):
        assert all(Path(target).exists() for target in targets)


def _parsed(words):
    args = lookup.module(COMMANDS, words[1], kind="command").Args
    rest = [word for word in words[2:] if word not in ("--offline", "--no-cache", "--help")]
    return tyro.cli(args, args=rest) if rest or "--help" not in words else None


def _write_input(path):
    path = Path(str(path).replace("*", "clip"))
    path.parent.mkdir(exist_ok=True)
    scene = Scene(1, 64, 64, motion=4)  # the least that libx265 and libsvtav1 take
    frames = [draw.as_bytes(scene.frame(time)) for time in range(9)]
    if path.suffix == ".png":
        Image.fromarray(frames[0]).save(path)
    else:
        video.write_frames(path, frames, fps=2)


@pytest.mark.slow
def test_a_video_model_interpolates_on_all_devices():
    names: dict = {}
    exec(_programs(IN_JAX)[0], names)
    result = names["video"]
    assert result.shape == (8, 5, 32, 48, 3)
    assert result.sharding.spec[0] == "data"
    assert len(result.addressable_shards) == 8


@pytest.mark.slow
def test_included_weights_are_fine_tuned_with_nnx_and_reloaded(folder):
    names: dict = {}
    exec(_programs(IN_JAX)[2], names)
    assert names["losses"][2] < names["losses"][0]
    _, found = vfi_jax.load("./tuned")
    jax.tree.map(np.testing.assert_array_equal, found, names["tuned"])
    with pytest.raises(AssertionError):
        jax.tree.map(np.testing.assert_array_equal, found, names["variables"])


def test_every_op_has_a_picture_and_a_place_on_its_page():
    page = (DOCS / "ops.md").read_text()
    for name in set(ops.__all__) - {"backend"}:
        assert f"::: vfi_jax.ops.{name}\n" in page
        assert (DOCS / f"pictures/ops/{name}.webp").is_file()


def test_every_system_has_a_page_with_its_diagram():
    for system in {registry.split(name)[0] for name in registry.list_models()} - {"blend"}:
        page = (DOCS / f"systems/{system}.md").read_text()
        assert f"(../pictures/{system}.svg)" in page, system
        assert f"({system}.md)" in (DOCS / "systems/index.md").read_text(), system


def test_pictures_are_small_and_used():
    files = [file for file in (DOCS / "pictures").rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= PICTURE_BYTES
    text = "".join(page.read_text() for page in PAGES)
    assert not [file.name for file in files if file.name not in text]


def test_links_of_readme_exist():
    """Those of docs/ are checked when the site is built."""
    for target in re.findall(r"\]\(([^)#]+)", (support.ROOT / "README.md").read_text()):
        if "://" not in target:
            assert (support.ROOT / target).exists(), target


def test_included_weights_are_saved_for_model_hubs(folder):
    names: dict = {}
    exec(_programs(IN_JAX)[3], names)
    jax.tree.map(np.testing.assert_array_equal, names["variables"], vfi_jax.load("mind/small")[1])


@pytest.mark.slow
def test_all_bands_of_a_stack_are_warped():
    names: dict = {}
    exec(_programs(IN_JAX)[1], names)
    stack, between = names["stack"], names["between"]
    assert between.shape == (2, 32, 48, 10)
    assert stack.min() <= between.min() < between.max() <= stack.max()
