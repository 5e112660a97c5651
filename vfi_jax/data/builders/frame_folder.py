"""Any folder of sequences: a folder of images for each, such as im1.png im2.png im3.png."""

import json
from collections.abc import Iterator
from pathlib import Path

from vfi_jax.data import layout
from vfi_jax.data.clip import Clip

LAYOUT = """\
<any name>/<three or more images, in order of their names>
or an index.json that lists triplets: [{"scene": "a", "gap_class": "easy",
"frame0": "a/07.webp", "gt": "a/08.webp", "frame1": "a/09.webp"}]"""
SPLITS = ("test", "train")


def clips(root: Path, split: str) -> Iterator[Clip]:
    """Every sequence; an evaluation gives the first and the last image and asks for the others.

    Args:
      root: holds the sequences' folders, at any depth, or an index.json.
      split: either name; the folder is not divided.
    """
    if not root.is_dir():
        raise layout.wrong(root, "it is no folder", LAYOUT)
    index = root / "index.json"
    yield from _listed(root, json.loads(index.read_text())) if index.exists() else _found(root)


def _listed(root, index):
    keys = {"scene", "gap_class", "frame0", "gt", "frame1"}
    if not isinstance(index, list) or not all(keys <= set(entry) for entry in index):
        raise layout.wrong(root, f"its index.json is no list of {sorted(keys)}", LAYOUT)
    for entry in index:
        paths = tuple(root / entry[role] for role in ("frame0", "gt", "frame1"))
        yield Clip(f"{entry['gap_class']}/{entry['scene']}", paths)


def _found(root):
    folders = [path for path in sorted(root.rglob("*")) if path.is_dir()]
    sequences = [(path, layout.images(path)) for path in [root, *folders]]
    found = [(path, images) for path, images in sequences if len(images) >= 3]
    if not found:
        raise layout.wrong(root, "no folder holds three images or more", LAYOUT)
    for path, images in found:
        name = root.resolve().name if path == root else path.relative_to(root).as_posix()
        yield Clip(name, tuple(images))
