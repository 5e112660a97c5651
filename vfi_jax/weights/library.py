"""Models with their weights: loading, saving, and listing what is on this machine."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from vfi_jax import lookup, registry, remote
from vfi_jax.weights import orbax_folder, places, plain, sources, store, unsupported
from vfi_jax.weights.conversion import (
    alike,
    check,
    convert,
    mapping_of,
    recognise,
    shapes_of,
    title,
)
from vfi_jax.weights.engine import ConversionError
from vfi_jax.weights.torch_file import read_torch

DEFAULT = "tween"  # the model if none is named


def load(
    name_or_path: str | os.PathLike | None = None,
    *,
    system: str | None = None,
    key: str | None = None,
    **overrides: Any,
) -> tuple[nn.Module, dict]:
    """Load a model and its variables.

    A name is looked up in the user's weights folder, then in the package. A path is a stored
    checkpoint (Orbax or model hub format) or a file that `read_torch` reads, which is converted on
    the fly. With `system` it may also contain variables with this library's names: an Orbax folder,
    a Flax msgpack file or a safetensors file.

    Args:
      name_or_path: a name from `list_models` or `list_networks`, or a path ("./rife" if a folder
        has the name of a model), also in an object store: gs://, s3://, az:// or hf://user/name.
        None: the default model.
      system: model of the weights in a path. Default: recorded in a stored checkpoint, and
        recognised from the keys of a PyTorch file.
      key: name of the set of weights in a PyTorch file, such as "params_ema".
      **overrides: fields of the model's Config to replace, such as precision="default".

    Returns:
      (model, variables): variables are float32 arrays on the default device; {} for a model without
      parameters.

    Raises:
      FileNotFoundError: the model's weights are not on this machine (the message says how to get
        them), or the file does not exist.
      ValueError: unknown name, or the weights are damaged, belong to another model, or do not fit.
    """
    if name_or_path is None:
        name_or_path = DEFAULT
    if isinstance(name_or_path, str) and names_model(name_or_path):
        model, variables = _load_named(name_or_path, overrides)
    else:
        with remote.local(existing(name_or_path)) as path:
            model, variables = _load_path(path, system, key, overrides)
    return model, jax.device_put(variables)


def save(
    path_or_name: str | os.PathLike,
    model_name: str,
    variables: dict,
    *,
    config: Any = None,
    licence: str = "",
    source: str = "",
    dtype: Any = None,
    format: str = "orbax",
) -> Any:
    """Store variables where `load` finds them.

    Args:
      path_or_name: a model's name (stored in the user's weights folder), or a folder, also in an
        object store: gs://, s3://, az:// or hf://user/name.
      model_name: system, network or variant of the variables.
      variables: nested dicts of arrays; they must fit the model.
      config: the model's Config, if it differs from that of `model_name`.
      licence: licence of the weights.
      source: origin of the weights, as text.
      dtype: type of the stored floats, such as jnp.float16; the arrays' own by default. `load`
        always returns float32.
      format: "orbax"; or "safetensors" for model hubs: model.safetensors, config.json, and a model
        card README.md with the licence.

    Returns:
      The folder: a `pathlib.Path`, or an `epath.Path` of an object store.

    Raises:
      ValueError: unknown model or format, variables that do not fit, or a folder that contains
        something else.
    """
    named = registry.create(model_name).config
    changed = _difference(named, config or named)
    check(model_name, registry.create(model_name, **changed), variables)
    description = {
        "model": model_name,
        "config": {field: _to_json(value) for field, value in changed.items()},
        "licence": licence,
        "source": source,
    }
    is_name = isinstance(path_or_name, str) and names_model(path_or_name)
    folder = places.user_folder(str(path_or_name)) if is_name else path_or_name
    return store.write(folder, variables, description, dtype=dtype, format=format)


def from_file(
    path: Path,
    name: str | None,
    *,
    key: str | None = None,
    notes: list[str] | None = None,
) -> tuple[str, dict]:
    """Read a PyTorch file and convert it, or read variables with this library's names.

    Args:
      path: the file, an Orbax folder, or the folder with all files of a system released in several
        files.
      name: model of the weights; None: recognised from the keys. A system without a variant may be
        recognised as one of its variants.
      key: name of the set of weights in a PyTorch file.
      notes: list to which lines are appended about the recognised model and changed or unused keys.

    Returns:
      (name, variables).

    Raises:
      FileNotFoundError: the file, or one of several files, does not exist.
      ValueError: the file is damaged, not a PyTorch file, or for another model (which the message
        names if recognised).
    """
    parts = _parts(path, name)
    if path.is_dir() and not parts and not orbax_folder.tree_folder(path):
        raise ValueError(f"{path} contains no weights: pass a file, or a folder that Orbax wrote")
    if not parts and (path.is_dir() or (path.is_file() and plain.is_msgpack(path))):
        return _with_system(path, name), plain.read_tree(path)
    arrays = parts or read_torch(path, key=key, notes=notes)
    try:
        if name and (own := plain.from_flat(arrays, shapes_of(registry.create(name)))):
            return name, own
        name = name or _recognised(arrays, path, notes)
        return name, convert(name, arrays, notes=notes)
    except ConversionError as error:
        variant = _variant(name, arrays)
        if variant is None:
            raise ValueError(f"{path}: {error}{_owner(arrays)}") from None
        return variant, convert(variant, arrays, notes=notes)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def at_hand(name: str) -> Path | None:
    """The folder that `load` would read the weights of `name` from, or None."""
    return next(filter(store.is_checkpoint, places.candidates(name)), None)


def locate(name_or_path: str | os.PathLike) -> Any:
    """The file or folder that `load` would read, without reading it.

    Args:
      name_or_path: as for `load`.

    Raises:
      FileNotFoundError: there is none.
      ValueError: unknown name.
    """
    if not (isinstance(name_or_path, str) and names_model(name_or_path)):
        return existing(name_or_path)
    registry.create(name_or_path)
    folder = at_hand(name_or_path)
    if folder is None:
        raise FileNotFoundError(_missing(name_or_path))
    return folder


def stored() -> dict[str, Path]:
    """All checkpoints in the user's weights folder and in the package, name to folder."""
    names = (*registry.list_models(), *registry.list_networks())
    folders = {name: at_hand(name) for name in names}
    return {name: folder for name, folder in folders.items() if folder}


def verify(name_or_path: str | os.PathLike) -> Any:
    """Verify every file of a stored checkpoint against its SHA-256 manifest.

    Args:
      name_or_path: as for `load`, without PyTorch files.

    Returns:
      The checkpoint's folder.

    Raises:
      FileNotFoundError: there is none.
      ValueError: it is damaged.
    """
    folder = locate(name_or_path)
    with remote.local(folder) as path:
        store.verify(path)
    return folder


def names_model(text: str) -> bool:
    """Whether the first part of `text` is a system or network, imported or not."""
    known = (*lookup.modules(registry.MODELS), *lookup.modules(registry.NETWORKS))
    return registry.split(text)[0] in known


def existing(path: str | os.PathLike) -> Any:
    """The path of a file or folder of weights, local or in an object store.

    Raises:
      ValueError: there is none, and `path` looks like a misspelt name of a model.
      FileNotFoundError: there is none.
    """
    if (found := remote.path(path)).exists():
        return found
    looks_like_name = isinstance(path, str) and path[:1] not in "./~" and not found.suffix
    if looks_like_name and not remote.is_remote(path):
        names = (*registry.list_models(), *registry.list_networks())
        raise ValueError(lookup.unknown("model", str(path), names))
    raise FileNotFoundError(f"there is no file or folder {path}")


def _load_named(name, overrides):
    model = registry.create(name, **overrides)
    folder = at_hand(name)
    if folder is not None:
        # Checking traces the model, which takes seconds. Tests check the weights in the package.
        fits = folder == places.packaged_folder(name) and not overrides
        return _load_stored(folder, registry.split(name)[0], overrides, fits=fits)
    if shapes_of(model):
        raise FileNotFoundError(_missing(name))
    return model, {}


def _load_path(path, system, key, overrides):
    if path.is_dir() and (store.is_checkpoint(path) or not orbax_folder.tree_folder(path)):
        return _load_stored(path, system, overrides)
    name, variables = from_file(path, system, key=key)
    model = registry.create(name, **overrides)
    check(name, model, variables)
    return model, variables


def _with_system(path, name):
    if name is None:
        raise ValueError(f"{path} does not name its model; pass it (system=, --model)")
    return name


def _recognised(arrays, path, notes):
    """The model of arrays; of variants with equal networks, the one named by the file name."""
    name = recognise(arrays)
    same = alike(name)
    named = sources.released_as(registry.split(name)[0], path.name)
    found = named if named in same else name
    if notes is not None:
        others = [title(other) for other in same if title(other) != title(found)]
        beside = f" (the same network as {', '.join(others)})" if others else ""
        notes.append(f"recognised {title(found)}{beside} from its keys and shapes")
    return found


def _variant(name, arrays):
    """The variant of a system that the arrays fit, or None."""
    system, variant = registry.split(name)
    if variant:
        return None
    try:
        return recognise(arrays, system=system)
    except ValueError:
        return None


def _parts(path, name):
    """The arrays of all files in a folder, with the prefix of each file; {} for another folder."""
    mapping = mapping_of(name) if name and path.is_dir() else None
    if not hasattr(mapping, "files") or not any(path.glob("*.pkl")):
        return {}
    arrays = {}
    for prefix, names in mapping.files(registry.create(name).config).items():
        file = next((path / name for name in names if (path / name).is_file()), None)
        if file is None:
            raise FileNotFoundError(f"{path} must contain {' or '.join(names)} for {name}")
        arrays |= {f"{prefix}.{key}": array for key, array in read_torch(file).items()}
    return arrays


def _owner(arrays):
    """The model of the arrays, as the end of a message; "" if unknown."""
    try:
        return f"\n  they fit {recognise(arrays)}"
    except ValueError:
        words = unsupported.kind(arrays)
        return f"\n  {words}" if words else ""


def _load_stored(folder, system, overrides, *, fits=False):
    """A checkpoint's model and variables; checks that they fit each other unless `fits` is set."""
    description, variables = store.read(folder)
    name = description.get("model", "")
    if system and registry.split(name)[0] != registry.split(system)[0]:
        raise ValueError(f"{folder} contains weights of {name or 'no model'}, not of {system}")
    config = {field: _from_json(value) for field, value in description.get("config", {}).items()}
    model = registry.create(name, **{**config, **overrides})
    try:
        if not fits:
            check(name, model, variables)
    except ConversionError as error:
        advice = "" if overrides else f"{folder} is of another version: convert or train it again"
        raise ConversionError(name, error.faults, advice) from None
    return model, variables


def _missing(name):
    """The message for missing weights: how to get them."""
    system, _ = registry.split(name)
    siblings = [other for other in stored() if registry.split(other)[0] == system]
    here = f" (installed: {', '.join(siblings)})" if siblings else ""
    return f"there are no weights of {name} on this machine{here}; {sources.advice(name)}"


def _difference(named, config):
    """The fields of `config` that differ from those of `named`."""
    if type(config) is not type(named):
        raise ValueError(
            f"config must be a {type(named).__qualname__} of the model, got {config!r}"
        )
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return {name: value for name, value in values.items() if value != getattr(named, name)}


def _to_json(value):
    """A Config's value as JSON; a dtype by its name."""
    if isinstance(value, (bool, int, float, str, type(None))):
        return value
    if isinstance(value, (tuple, list)):
        return [_to_json(item) for item in value]
    return {"dtype": jnp.dtype(value).name}


def _from_json(value):
    return getattr(jnp, value["dtype"]) if isinstance(value, dict) else value
