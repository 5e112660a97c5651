"""Any folder of sequences, each a folder of images such as im1.png im2.png im3.png."""

import functools
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from vfi_jax import images
from vfi_jax.data import layout, sample_tree
from vfi_jax.data.clip import Clip, Frame

LAYOUT = """\
<any name>/<three or more images, in order of their names>
or an index.json that lists triplets: [{"scene": "a", "gap_class": "easy",
"frame0": "a/07.webp", "gt": "a/08.webp", "frame1": "a/09.webp"}]"""
SPLITS = ("train", "val", "whole")
EVALUATED = "whole"

PAGED = (".tif", ".tiff", ".gif", ".webp", ".apng")  # files that may hold several frames


def clips(root: Path, split: str) -> Iterator[Clip]:
    """Sequences; evaluation uses the first and last image as inputs and the others as targets.

    Args:
      root: contains the sequences' folders, at any depth, or an index.json.
      split: "val" is every tenth folder or listed scene (or the last if there are fewer), "train"
        the others, "whole" all of them.
    """
    if not root.is_dir():
        raise layout.wrong(root, "it is not a folder", LAYOUT)
    index = root / "index.json"
    found = list(_listed(root, index) if index.exists() else _found(root))
    scenes = list(dict.fromkeys(scene for scene, _ in found))
    chosen = set(scenes if split == "whole" else layout.part(scenes, split))
    if not chosen:
        what = f"one sequence leaves none for {split!r}; train without evaluation (--eval-every 0)"
        raise layout.wrong(root, what, LAYOUT)
    yield from (clip for scene, clip in found if scene in chosen)


def sample(root: Path, variant: str = "") -> None:
    """Write two tiny sequences, the last of which validates."""
    for name in ("a", "b"):
        sample_tree.pictures(root / name, ["im1.png", "im2.png", "im3.png"])


def _listed(root, file):
    """Scene and clip of each entry; repeated names get the target frame's name as a suffix."""
    index = json.loads(file.read_text("utf-8-sig"))
    keys = {"scene", "gap_class", "frame0", "gt", "frame1"}
    if not isinstance(index, list) or not all(keys <= set(entry) for entry in index):
        raise layout.wrong(root, f"its index.json is not a list of {sorted(keys)}", LAYOUT)
    names = [f"{entry['gap_class']}/{entry['scene']}" for entry in index]
    count = Counter(names)
    for name, entry in zip(names, index, strict=True):
        paths = tuple(root / entry[role] for role in ("frame0", "gt", "frame1"))
        unique = name if count[name] == 1 else f"{name}/{paths[1].stem}"
        yield entry["scene"], Clip(unique, paths)


def _found(root):
    """Name and clip of each folder of images."""
    sequences = [(folder, _frames(folder)) for folder in [root, *_folders(root)]]
    found = [(folder, frames) for folder, frames in sequences if len(frames) >= 3]
    if not found:
        raise layout.wrong(root, "no folder contains three or more images", LAYOUT)
    for folder, frames in found:
        name = root.resolve().name if folder == root else folder.relative_to(root).as_posix()
        yield name, Clip(name, tuple(frames))


def _folders(root):
    """All subfolders in natural order."""
    for folder in images.list_folders(root):
        yield folder
        yield from _folders(folder)


def _frames(folder: Path) -> list[Frame]:
    """The images of a folder; multi-page files contribute all their pages in order."""
    frames: list[Frame] = []
    for path in images.list_images(folder):
        pages = images.read_info(path).pages if path.suffix.lower() in PAGED else 1
        whole = (
            [path]
            if pages == 1
            else [functools.partial(images.read, path, page=i) for i in range(pages)]
        )
        frames += whole
    return frames
