"""Gallery: images of every system's results and intermediate outputs, and an HTML page."""

import dataclasses
import html
from collections.abc import Sequence
from pathlib import Path
from string import Template

import jax.numpy as jnp
import numpy as np

from vfi_jax import Interpolator, draw, images, matching, registry, weights
from vfi_jax.cli import _match_pictures
from vfi_jax.cli._comparison import Comparison
from vfi_jax.data.degrade import degrade
from vfi_jax.data.scene import Scene
from vfi_jax.evaluation.internals import internals

INDEX = "index.html"
PAGE = Path(__file__).with_name("gallery.html")
GRID = 8  # distance of matches in pixels
LINES = 100  # number of matches drawn


@dataclasses.dataclass(frozen=True)
class Entry:
    """A system of the gallery.

    Attributes:
      name: name of the system.
      psnr: PSNR of the midpoint frame in dB.
      pictures: caption and uint8 `[H, W, 3]`, by name.
    """

    name: str
    psnr: float
    pictures: dict[str, tuple[str, np.ndarray]]


def drawable() -> list[str]:
    """Systems that have weights on this machine and predict the midpoint of two frames."""
    names = [name for name in registry.list_models() if weights.at_hand(name)]
    return [name for name in names if _answers_half_way(registry.create(name).contract)]


def entry(name: str, scene: Scene) -> Entry:
    """Draw the results of one system on frames 0 and 1 of a scene.

    Args:
      name: name of the system.
      scene: its sides should be multiples of the system's scale.
    """
    model, variables = weights.load(name)
    scale = model.contract.scale
    exact = np.stack([scene.frame(0), scene.frame(1)])
    frames = exact if scale == 1 else np.asarray(degrade(jnp.asarray(exact), scale))
    inputs = [draw.as_bytes(frame) for frame in frames]
    clip = Comparison(scene, inputs, Interpolator(model, variables), name)
    pictures = {"strip": ("", clip.strip(0, 4 if scale == 1 else 2, zoom=1))}
    if scale > 1:
        caption = f"an eighth of the midpoint frame, {scale} times larger than the inputs"
        pictures["crops"] = caption, clip.crops(0)
    pictures |= internals(model, variables, *frames)
    if not {"flow", "kernels"} & pictures.keys() and scale == 1:
        # Its outputs contain no flow; the gradient shows where a pixel came from.
        pictures |= _matches(model, variables, *inputs)
    return Entry(name, clip.psnr(), pictures)


def write(folder: Path, entries: Sequence[Entry], facts: str) -> None:
    """Write the images as PNG files, then the page that shows them.

    Args:
      folder: output folder, created if missing.
      entries: the systems, in page order.
      facts: description of the scene.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sections = []
    for one in entries:
        figures = []
        for kind, (caption, picture) in one.pictures.items():
            file = f"{one.name.replace('/', '-')}-{kind}.png"
            images.write(folder / file, picture)
            figures.append(_figure(file, f"{one.name}: {caption or kind}", caption, picture))
        sections.append(_section(one, figures))
    page = Template(PAGE.read_text()).substitute(
        facts=html.escape(facts), sections="".join(sections)
    )
    (folder / INDEX).write_text(page)


def _answers_half_way(contract):
    offered = contract.times_of(2) if contract.min_frames <= 2 else ()
    return offered is None or 0.5 in offered


def _matches(model, variables, frame0, frame1):
    matches = matching.match(model, variables, frame0, frame1, grid=GRID)
    return {
        "matches": (
            "most confident matches in both frames (colour: motion)",
            _match_pictures.lines(frame0, frame1, matches, most=LINES),
        ),
        "match-field": (
            "motion from all matches (hue: direction)",
            _match_pictures.field(frame0, matches),
        ),
    }


def _section(one, figures):
    source = weights.source(one.name)
    about = (registry.create(one.name).__doc__ or "").partition("\n")[0]
    facts = [about, f"midpoint frame: {one.psnr:.2f} dB"]
    facts += [f"arXiv:{source.paper}"] * bool(source.paper)
    return (
        f'<section id="{html.escape(one.name)}"><h2>{html.escape(one.name)}</h2>'
        f"<p>{html.escape(' · '.join(facts))}</p>"
        f'<div class="pictures">{"".join(figures)}</div></section>\n'
    )


def _figure(file, alt, caption, picture):
    height, width = picture.shape[:2]
    text = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure><a href="{file}"><img src="{file}" alt="{html.escape(alt)}" width="{width}" '
        f'height="{height}" loading="lazy"></a>{text}</figure>'
    )
