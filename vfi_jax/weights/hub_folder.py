"""Checkpoints in the format of model hubs: `model.safetensors`, `config.json`, a `README.md` card.

`config.json` describes the checkpoint and contains the SHA-256 of the weights; the card may be
edited.
"""

import json
from pathlib import Path

import jax
from flax.traverse_util import flatten_dict, unflatten_dict
from safetensors import SafetensorError
from safetensors.flax import load_file, save_file

from vfi_jax.weights.manifest import sha256
from vfi_jax.weights.plain import float32

WEIGHTS = "model.safetensors"
DESCRIPTION = "config.json"
CARD = "README.md"
ESSENTIAL = (DESCRIPTION, WEIGHTS)  # files that identify such a folder
# Licences with an identifier on the hub; all others are "other" with a name.
KNOWN_LICENCES = (
    "apache-2.0",
    "bsd-2-clause",
    "bsd-3-clause",
    "cc-by-4.0",
    "cc-by-nc-4.0",
    "cc-by-nc-sa-4.0",
    "cc-by-sa-4.0",
    "cc0-1.0",
    "gpl-3.0",
    "mit",
)
FRONT_MATTER = """\
---
{licence}library_name: vfi_jax
pipeline_tag: video-to-video
tags:
- jax
- flax
- video-frame-interpolation
---
"""
CARD_TEXT = """\
# {model}

Weights of `{model}` ({numbers:,} parameters) for video frame interpolation in JAX with vfi_jax:

```python
import vfi_jax

model, variables = vfi_jax.load("FOLDER")  # this folder; after an upload also "hf://USER/NAME"
```

- Licence: {words}
- Source: {source}
"""


def fill(folder: Path, arrays: dict, description: dict) -> None:
    """Write a checkpoint into an empty folder.

    Args:
      folder: the folder.
      arrays: nested dicts of NumPy arrays.
      description: content of `config.json`; "model", "licence" and "source" appear on the card.
    """
    # Flax names contain no dots, so keys are unambiguous.
    flat = {".".join(path): array for path, array in flatten_dict(arrays).items()}
    save_file(flat, folder / WEIGHTS, metadata={"format": "flax"})
    known = {"sha256": {WEIGHTS: sha256(folder / WEIGHTS)}}
    (folder / DESCRIPTION).write_text(json.dumps({**description, **known}, indent=2) + "\n")
    (folder / CARD).write_text(_card(arrays, description))


def variables(folder: Path) -> dict:
    """The variables of a checkpoint, not verified: NumPy arrays, floats as float32.

    Raises:
      ValueError: the weights are not a safetensors file.
    """
    try:
        flat = load_file(folder / WEIGHTS)
    except SafetensorError as error:
        raise ValueError(f"{folder / WEIGHTS} is damaged ({error})") from None
    return unflatten_dict({tuple(key.split(".")): float32(array) for key, array in flat.items()})


def faults(folder: Path) -> list[str]:
    """Differences from the SHA-256 values in `config.json`, if any, one line per file."""
    sums = json.loads((folder / DESCRIPTION).read_bytes()).get("sha256", {})
    return [
        f"{name} is damaged" for name, digest in sums.items() if sha256(folder / name) != digest
    ]


def front_matter(licence: str) -> str:
    """The YAML lines at the top of a model card, read by model hubs.

    Args:
      licence: licence of the weights, as stated by the authors; "" if unknown.
    """
    return FRONT_MATTER.format(licence=_licence_lines(licence))


def _card(arrays, description):
    licence = description["licence"]
    numbers = sum(array.size for array in jax.tree.leaves(arrays))
    return front_matter(licence) + CARD_TEXT.format(
        model=description["model"],
        numbers=numbers,
        words=licence or "unknown; ask the authors",
        source=description["source"] or "not known",
    )


def _licence_lines(licence):
    """The card's front matter for a licence: a hub identifier, or a name."""
    identifier = licence.lower().replace(" ", "-")
    if not licence:
        return ""
    if identifier in KNOWN_LICENCES:
        return f"license: {identifier}\n"
    return f"license: other\nlicense_name: {json.dumps(licence)}\n"
