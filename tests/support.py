"""Helpers for tests in several folders: stand-in variables and golden cases."""

import json
import math
import os
import zlib
from pathlib import Path

import jax
import numpy as np
import optax
import pytest

from tests.golden import standin
from vfi_jax import registry
from vfi_jax.data.degrade import degrade
from vfi_jax.training.recipes import list_recipes
from vfi_jax.weights import store
from vfi_jax.weights.places import packaged_folder

ROOT = Path(__file__).parents[1]
GOLDEN = Path(__file__).parent / "golden"
SHIPPED = [name for name in registry.list_models() if store.is_checkpoint(packaged_folder(name))]
SMALL_RECIPES = [
    name for name in list_recipes() if name.endswith("small") or name == "shared_pyramid"
]
SHARED = ROOT.parent / "shared"
FULL = SHARED / "goldens/full"
TOLERANCE = 2e-5  # of max(1, the array's largest value); float32 noise of the original networks


def variables(model, *, seed=0, gain=1.0, train=False):
    """Variables of `model` made by NumPy: He-scaled kernels, small biases. `model.init` is slow."""
    rng = np.random.default_rng(seed)

    def fill(path, leaf):
        name = path[-1].key
        if name == "var":
            return np.ones(leaf.shape, np.float32)
        if name in ("bias", "mean"):
            return (0.02 * rng.standard_normal(leaf.shape)).astype(np.float32)
        if len(leaf.shape) < 2:
            return np.full(leaf.shape, 0.25 if name == "slope" else 1.0, np.float32)
        scale = gain * math.sqrt(2 / math.prod(leaf.shape[:-1]))
        return (scale * rng.standard_normal(leaf.shape)).astype(np.float32)

    return jax.tree_util.tree_map_with_path(fill, registry.abstract_variables(model, train=train))


def portable(group):
    """The reference outputs in tests/golden/<group>.json."""
    return json.loads((GOLDEN / f"{group}.json").read_text())


def portable_state_dict(group, *, keys=None):
    """The upstream state dict that the cases of `group` ran with, rebuilt from key names."""
    figures = portable(group)
    return standin.state_dict({**figures, "state_dict": read_keys(keys or group)})


def question(scene, time, *, scale=1):
    """Test data from a rendered scene: both frames, downscaled by `scale`, and the exact frame
    at `time` between them."""
    frames = np.stack([scene.frame(0), scene.frame(1)]).astype(np.float32)
    given = frames if scale == 1 else np.asarray(degrade(frames, scale))
    return given, scene.frame(time)


def smallest_quick(cases):
    """Keys of portable cases as test parameters, marked slow except the smallest of each group.

    Args:
      cases: name -> case, or (group, name) -> case.
    """

    def pixels(key):
        size = cases[key]["input"]["args"]
        return size["count"] * size["height"] * size["width"]

    smallest = {}
    for key in sorted(cases, key=pixels):
        smallest.setdefault(key[:-1] if isinstance(key, tuple) else "", key)
    return [
        pytest.param(
            *(key if isinstance(key, tuple) else [key]),
            marks=[] if key in smallest.values() else pytest.mark.slow,
        )
        for key in cases
    ]


def read_keys(name):
    """Rows (key, shape, dtype) of checkpoints/keys/<name>.txt, in the upstream file's order."""
    lines = (ROOT / "checkpoints/keys" / f"{name}.txt").read_text().splitlines()
    rows = [line.split("\t") for line in lines]
    return [(key, [int(n) for n in dims.split(",") if n], kind) for key, dims, kind in rows]


def clip(case):
    """The uint8 frames `[T, H, W, 3]` of a portable case."""
    frames = standin.clip(**case["input"]["args"])
    assert zlib.crc32(frames.tobytes()) == case["input"]["crc32"]
    return frames


def assert_samples(array, output, *, tolerance=TOLERANCE, within=1.0):
    """`array` (channels last) agrees with the stored samples of one portable output.

    `within` is the share of samples that must lie inside the tolerance (below 1 only where the
    original is discontinuous).
    """
    array = channels_first(array, output["layout"])
    assert array.shape == tuple(output["shape"]), (array.shape, output["shape"])
    value = np.asarray(output["value"])
    index = output.get("index", np.arange(value.size))
    largest = output.get("max_abs", np.abs(value).max())
    assert_close(array.reshape(-1)[index], value, tolerance, largest=largest, within=within)


def assert_close(actual, desired, tolerance=TOLERANCE, *, largest=None, within=1.0):
    """|actual - desired| <= tolerance * max(1, largest) for a share `within` of the entries."""
    actual, desired = np.asarray(actual, np.float64), np.asarray(desired, np.float64)
    assert actual.shape == desired.shape, (actual.shape, desired.shape)
    largest = np.abs(desired).max() if largest is None else largest
    error = np.abs(actual - desired) / max(1.0, largest)
    share = np.mean(error <= tolerance)
    assert share >= within, f"{share:.4%} within {tolerance:g}, worst {error.max():.3g}"


def channels_first(array, layout):
    """A channels-last array in an upstream layout such as "NCHW" or "TCHW"."""
    array = np.asarray(array)
    return np.moveaxis(array, -1, -3) if layout.endswith("CHW") else array


def channels_last(array):
    """An upstream `[..., C, H, W]` array as `[..., H, W, C]`."""
    return np.moveaxis(np.asarray(array), -3, -1)


def full(group):
    """The manifest of a full golden group; skips the test where the folder is absent."""
    path = FULL / group / "manifest.json"
    if not path.exists():
        pytest.skip(f"goldens of {group} are not here")
    return json.loads(path.read_text())


def full_case(group, name):
    """The arrays of a full golden case, by name."""
    path = FULL / group / f"{name}.npz"
    if not path.exists():
        pytest.skip(f"golden case {group}/{name} is not here")
    return dict(np.load(path))


def full_names(group):
    """Names of the cases of a full golden group, for parametrisation; one dummy where absent."""
    names = sorted(path.stem for path in (FULL / group).glob("case-*.npz"))
    return names or ["absent"]


def smallest_file_quick(group):
    """The same as test parameters, marked slow except the case with the smallest file."""
    names = full_names(group)
    smallest = min(names, key=lambda name: _bytes(FULL / group / f"{name}.npz"))
    marks = {name: [] if name == smallest else pytest.mark.slow for name in names}
    return [pytest.param(name, marks=mark) for name, mark in marks.items()]


def _bytes(path):
    return path.stat().st_size if path.exists() else 0


def full_state_dict(group):
    """The upstream state dict that the cases of a full golden group ran with."""
    return standin.state_dict(full(group))


def real_weights(*names):
    """Paths of released files in the folder that VFI_REAL_WEIGHTS names; skips without them."""
    paths = [Path(os.environ.get("VFI_REAL_WEIGHTS", "absent")) / name for name in names]
    if not all(path.is_file() for path in paths):
        pytest.skip(f"VFI_REAL_WEIGHTS names no folder with {', '.join(names)}")
    return paths


def train(loss, params, rule, *, steps=3):
    """So many steps of an optax `rule` on one batch.

    Args:
      loss: parameters -> (scalar, anything else to be seen of a step).

    Returns:
      (seen, gradients, history), lists by step; history[i] are the parameters before step i.
    """

    @jax.jit
    def step(params, state):
        (_, shown), gradient = jax.value_and_grad(loss, has_aux=True)(params)
        updates, state = rule.update(gradient, state, params)
        return optax.apply_updates(params, updates), state, shown, gradient

    seen, gradients, history, state = [], [], [params], rule.init(params)
    for _ in range(steps):
        params, state, shown, gradient = step(params, state)
        seen.append(shown)
        gradients.append(gradient)
        history.append(params)
    return seen, gradients, history


def assert_norms(rules, keys, tree, figures, tolerance):
    """L2 norms of the arrays of all upstream keys, beside the largest, are those stored.

    `rules` are of the model's mapping, `keys` the rows of `read_keys`.
    """
    norms = [np.linalg.norm(original(rules, tree, key, shape)) for key, shape, _ in keys]
    wanted = np.asarray(figures["value"])
    assert_close(norms / wanted.max(), wanted / wanted.max(), tolerance)


def original(rules, tree, key, shape):
    """The array of an upstream key, in upstream's layout, from parameters of ours or gradients.

    `rules` are of the model's mapping, `shape` is the key's own.
    """
    rule = next(rule for rule in rules if rule.match(key))
    match = rule.match(key)
    for step in match.expand(rule.path).split("/"):
        tree = tree[step]
    ours = np.asarray(tree)[int(match["layer"])] if rule.stack else np.asarray(tree)
    places = rule.change(np.arange(ours.size).reshape(shape))
    array = np.empty(ours.size, ours.dtype)
    array[places.reshape(-1)] = ours.reshape(-1)
    return array.reshape(shape)
