"""A run: a recipe with overrides from the options, its model, and a record to reproduce it."""

import dataclasses
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from vfi_jax import registry, weights
from vfi_jax.contract import Contract
from vfi_jax.training import loggers, recipes
from vfi_jax.training.options import Options
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.workdir import Workdir

PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy", "grain")
RECORD = "run.json"
NOT_COMPARED = ("optimizer", "fine_tuning")  # fields of a recipe that other fields repeat
# Options that affect the result and are not part of the recipe.
DECISIVE = ("data_dir", "licences", "scenes", "bf16", "accumulate", "start_from")


def resolve(options: Options, recipe: Recipe | None = None) -> Recipe:
    """The recipe with its fine-tuning defaults, if they apply, and overrides from the options.

    Args:
      options: options of the run.
      recipe: by default the one named by the options.

    Raises:
      ValueError: the options name no recipe, two recipes, or an unknown one.
    """
    if recipe is None:
        if bool(options.system) == bool(options.recipe):
            both = f"{options.system} and --recipe {options.recipe}" if options.system else "none"
            raise ValueError(
                "name one recipe: a system, such as sepconv, or --recipe package.module:NAME; got "
                f"{both}"
            )
        recipe = recipes.load(options.recipe) if options.recipe else recipes.find(options.system)
    if fine_tunes(options, recipe):
        recipe = dataclasses.replace(recipe, **recipe.fine_tuning)
    named = {"data": options.data or None, "gaps": options.gaps or None}
    for name in ("steps", "batch", "crop", "ema"):
        named[name] = getattr(options, name)
    changes: dict[str, Any] = {name: v for name, v in named.items() if v is not None}
    if options.learning_rate is not None:
        changes["optimizer"] = dataclasses.replace(
            recipe.optimizer, learning_rate=options.learning_rate
        )
    return dataclasses.replace(recipe, **changes)


def fine_tunes(options: Options, recipe: Recipe) -> bool:
    """Whether the recipe's fine-tuning defaults apply."""
    return bool(options.start_from and recipe.fine_tuning and not options.full_recipe)


def settings(recipe: Recipe) -> str:
    """The settings of a fine-tuning run in one line."""
    size = "x".join(map(str, recipe.crop))
    return (
        f"fine-tuning {recipe.model}: {recipe.steps} steps of {recipe.batch} crops of {size} from "
        f"{', '.join(recipe.data)}, {recipe.optimizer.rule}, peak rate "
        f"{recipe.optimizer.learning_rate:g}; --full-recipe keeps the recipe's settings"
    )


def check(options: Options, recipe: Recipe, contract: Contract) -> None:
    """Check the settings before anything is read or compiled.

    Raises:
      ValueError: a count is below 1, a learning rate or decay is out of range, the batch is too
        small for the recipe's collages, the crop is not a multiple of the model's multiple, a
        logger is unknown, or --profile is invalid.
    """
    counts = {name: getattr(options, name) for name in ("accumulate", "steps_per_dispatch")}
    counts |= {"scenes": options.scenes, "batch": recipe.batch, "steps": recipe.steps}
    profiled(options)
    for name in options.loggers:
        loggers.find(name)
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"--{name.replace('_', '-')} must be at least 1, got {count}")
    if not 0 <= recipe.ema < 1:
        raise ValueError(f"--ema must be at least 0 and below 1, got {recipe.ema}")
    if not recipe.optimizer.learning_rate > 0:
        raise ValueError(f"--learning-rate must be above 0, got {recipe.optimizer.learning_rate}")
    if recipe.augment.collages and not recipe.augment.count_collages(recipe.batch):
        raise ValueError(
            f"--batch must be larger for {recipe.model}, because its recipe replaces a share of "
            f"{recipe.augment.collages:.2g} of a batch by collages, got {recipe.batch}"
        )
    multiple = contract.multiple * contract.scale
    height, width = recipe.crop
    if recipe.augment.transpose and height != width:
        raise ValueError(
            f"--crop must be square, because the recipe of {recipe.model} transposes crops, got "
            f"{height} {width}"
        )
    if any(side < 1 or side % multiple for side in recipe.crop):
        raise ValueError(
            f"--crop must be multiples of {multiple} for {recipe.model}, got {height} {width}"
        )


def profiled(options: Options) -> range:
    """The steps to trace.

    Raises:
      ValueError: --profile is not N:M.
    """
    if not options.profile:
        return range(0)
    first, _, last = options.profile.partition(":")
    if not (first.isdecimal() and last.isdecimal() and int(first) < int(last)):
        raise ValueError(
            f"--profile must be FIRST:STOP, such as 100:110 to trace steps 100 to 109; got "
            f"{options.profile!r}"
        )
    return range(int(first), int(last))


def create_model(recipe: Recipe, *, bf16: bool) -> nn.Module:
    """The model to train, with the platform's default (fastest) precision, as in published code."""
    fields = {field.name for field in dataclasses.fields(registry.create(recipe.model).config)}
    wanted = {"precision": "default", **({"dtype": jnp.bfloat16} if bf16 else {})}
    if bf16 and "dtype" not in fields:
        raise ValueError(f"--bf16 needs a model with a dtype option; {recipe.model} has none")
    changes = {name: value for name, value in wanted.items() if name in fields}
    return registry.create(recipe.model, **changes)


def start_variables(model: nn.Module, recipe: Recipe, *, seed: int, weights_name: str) -> dict:
    """Random initial variables, with the parts that the recipe or command line starts from loaded.

    Raises:
      ValueError: initial weights are missing or do not fit.
    """
    start_from = {"": weights_name} if weights_name else recipe.start_from
    # First, because initialisation is compiled, which takes a minute.
    loaded = {part: weights.load(name)[1] for part, name in start_from.items()}
    inputs: dict[str, Any] = {
        name: jnp.zeros(spec.shape, spec.dtype)
        for name, spec in registry.example_inputs(model, train=True).items()
    }
    # One compiled program, because Linen's eager init would compile one per kernel shape. XLA's own
    # generator, because JAX's is unrolled for every kernel and takes five times as long to compile.
    key = jax.random.key(seed, impl="rbg")
    variables = jax.jit(lambda key: model.init(key, **inputs))(key)
    for part, name in start_from.items():
        path = tuple(filter(None, part.split("/")))
        variables = _merged(variables, loaded[part], path, name)
    return variables


def load_frozen(recipe: Recipe) -> dict:
    """Variables of the frozen networks of the loss, by their names in the loss.

    Raises:
      ValueError: weights are missing; the message says how to get them.
    """
    return {role: weights.load(name)[1] for role, name in recipe.frozen.items()}


def claim(workdir: Workdir, options: Options, recipe: Recipe) -> None:
    """Create the folder of the run.

    Raises:
      FileExistsError: it contains a run and --resume was not given.
      FileNotFoundError: --resume was given and it contains no run.
      ValueError: --resume was given and it contains a run of another model, or only one of the two
        runs keeps a moving average.
    """
    record = workdir.place / RECORD
    if options.resume:
        if not record.exists():
            raise FileNotFoundError(f"{options.workdir} contains no run to resume (no {RECORD})")
        started = json.loads(record.read_text())["recipe"]
        if started["model"] != recipe.model:
            raise ValueError(
                f"the run in {options.workdir} trains {started['model']}, got {recipe.model}"
            )
        if bool(started["ema"]) != bool(recipe.ema):
            raise ValueError(
                f"the run in {options.workdir} has --ema {started['ema']}, got {recipe.ema}; a "
                "moving average cannot be added or removed when resuming"
            )
    elif record.exists():
        raise FileExistsError(
            f"{options.workdir} contains a run; continue it with --resume, or use another --workdir"
        )
    if workdir.place.exists() and not workdir.place.is_dir():
        raise FileExistsError(f"--workdir must be a folder, got the file {options.workdir}")
    workdir.place.mkdir(parents=True, exist_ok=True)


def write_record(workdir: Workdir, options: Options, recipe: Recipe) -> list[str]:
    """Write run.json: command, recipe, seed, package versions and git commit.

    A resumed run keeps the original record and adds its own under "resumed".

    Returns:
      Changes of a resumed run, such as "batch 4 -> 8".
    """
    named = options.system or options.recipe
    record: dict[str, Any] = {
        # A recipe created by a program has no name to use in a command.
        "command": ["vfi-jax", "train", *options.words()] if named else None,
        "seed": options.seed,
        **config(options, recipe),
        "packages": {name: _version(name) for name in PACKAGES},
        "python": sys.version.split()[0],
        "devices": [device.device_kind for device in jax.devices()],
        "commit": _commit(),
    }
    changes = []
    if options.resume:
        started = json.loads((workdir.place / RECORD).read_text())
        resumed = started.get("resumed", [])
        changes = _changes([started, *resumed][-1], record)
        record = {**started, "resumed": [*resumed, record]}
    workdir.write(RECORD, json.dumps(record, indent=1) + "\n")
    return changes


def config(options: Options, recipe: Recipe) -> dict:
    """The "options" and the "recipe" of a run as a JSON object."""
    return {"options": _plain(dataclasses.asdict(options)), "recipe": _plain(recipe)}


def _changes(before, after):
    def decisive(record):
        chosen = {name: record["options"].get(name) for name in DECISIVE}
        recipe = {**record["recipe"], **record["recipe"]["optimizer"]}
        return {name: v for name, v in {**recipe, **chosen}.items() if name not in NOT_COMPARED}

    old, new = decisive(before), decisive(after)
    return [
        f"{name} {old.get(name)} -> {value}"
        for name, value in new.items()
        if old.get(name) != value
    ]


def _merged(variables, loaded, path, name):
    """`variables` with the part at `path` replaced by `loaded`; training-only leaves are kept."""
    out = dict(variables)
    for collection, tree in loaded.items():
        flat = flatten_dict(out.get(collection, {}))
        for leaf_path, leaf in flatten_dict(tree).items():
            place = (*path, *leaf_path)
            if place not in flat or flat[place].shape != np.shape(leaf):
                raise ValueError(
                    f"weights {name!r} do not fit: {collection}/{'/'.join(place)} is "
                    f"{np.shape(leaf)} there and {flat[place].shape if place in flat else 'absent'}"
                    f" in the model"
                )
            flat[place] = jnp.asarray(leaf)
        out[collection] = unflatten_dict(flat)
    return out


def _plain(value):
    """A value of JSON types only; functions become their names."""
    if dataclasses.is_dataclass(value):
        return _plain({f.name: getattr(value, f.name) for f in dataclasses.fields(value)})
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if callable(value):
        return getattr(value, "__qualname__", repr(value))
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit():
    git = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
