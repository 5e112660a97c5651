"""Draw the pictures of the pages into docs/pictures: `python -m docs.figures`.

Systems are drawn by the gallery, with the weights in the package.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from docs.figures import diagrams
from docs.figures import ops as op_figures
from vfi_jax import ops
from vfi_jax.cli import _gallery
from vfi_jax.data.scene import Scene
from vfi_jax.weights.places import packaged_folder

PICTURES = Path(__file__).parents[1] / "pictures"
QUALITY = 78  # of WebP
WIDEST = 900  # pixels; larger pictures are downscaled
SCENE = {"seed": 1, "height": 192, "width": 320, "motion": 200 / 12}  # like `vfi-jax demo`


def main() -> None:
    """Draw the pictures named on the command line; all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", help="diagrams, ops, systems, or names of ops, systems")
    what = parser.parse_args().what or ["diagrams", "ops", "systems"]
    names = [name for name in ops.__all__ if name != "backend"]
    shipped = [name for name in _gallery.drawable() if packaged_folder(name).is_dir()]
    if "diagrams" in what:
        diagrams.draw(PICTURES)
    shown = op_figures.view()
    for name in names if "ops" in what else sorted({*names} & {*what}):
        _write(PICTURES / "ops" / f"{name}.webp", op_figures.picture(name, shown))
    for name in shipped if "systems" in what else sorted({*shipped} & {*what}):
        entry = _gallery.entry(name, Scene(**SCENE))
        for kind, (_, picture) in entry.pictures.items():
            _write(PICTURES / f"{name.replace('/', '-')}-{kind}.webp", picture)


def _write(file: Path, picture: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(picture)
    image.thumbnail((WIDEST, WIDEST), Image.Resampling.LANCZOS)
    image.save(file, quality=QUALITY, method=6)
    print(f"{file.name}: {file.stat().st_size:,} bytes", flush=True)


if __name__ == "__main__":
    main()
