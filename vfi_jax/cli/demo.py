"""Run a demonstration: render a moving scene, interpolate it, compare with the exact frames.

Writes demo_input.mp4 (the rendered clip), demo.mp4 (interpolated), demo_side_by_side.png (an
interpolated and the exact frame) and demo_strip.png (input and interpolated frames over time).
"""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

LEAST = {"frames": 2, "multi": 1, "fps": 1, "height": 2, "width": 2}  # minimum values of Args
SPEED = 200.0  # pixels per second of the fastest points


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax demo`."""

    out: Path = Path(".")
    """Output folder, created if missing."""

    model: str | None = None
    """Name of a system, see `vfi-jax models`."""

    multi: int = 4
    """Output frames per input frame."""

    frames: int = 25
    """Number of input frames to render."""

    fps: int = 12
    """Input frames per second."""

    height: int = 288
    """Height of the scene in pixels."""

    width: int = 512
    """Width of the scene in pixels."""

    seed: int = 1
    """Random seed of the scene."""

    gallery: Path | None = None
    """Instead, draw every system with weights on this machine (or --model) into this folder, with
    an index.html."""

    overwrite: Annotated[bool, tyro.conf.arg(aliases=["-y"])] = False
    """Replace existing files."""


def run(args: Args) -> int:
    """Render, interpolate, measure and draw, and print a line about each step."""
    from vfi_jax import Interpolator, draw, images, load, video
    from vfi_jax.cli._comparison import Comparison
    from vfi_jax.cli._progress import progress_bar
    from vfi_jax.data.scene import Scene

    for name, least in LEAST.items():
        if getattr(args, name) < least:
            raise ValueError(f"--{name} must be at least {least}, got {getattr(args, name)}")
    scene = Scene(args.seed, args.height, args.width, motion=SPEED / args.fps)
    if args.gallery is not None:
        return _draw_gallery(args, scene)
    source, target = args.out / "demo_input.mp4", args.out / "demo.mp4"
    pictures = args.out / "demo_side_by_side.png", args.out / "demo_strip.png"
    _check(args, (source, target, *pictures))
    interpolator = Interpolator(*load(args.model))
    if interpolator.contract.scale != 1:
        raise ValueError(f"{args.model} changes the frame size, which the demo does not support")
    interpolator.check([0.5, *(step / args.multi for step in range(args.multi))])
    args.out.mkdir(parents=True, exist_ok=True)

    inputs = [draw.as_bytes(scene.frame(time)) for time in range(args.frames)]
    video.write_frames(source, inputs, fps=args.fps, overwrite=True)
    with progress_bar("interpolating") as progress:
        report = video.interpolate_video(
            source,
            target,
            model=args.model,
            multi=args.multi,
            overwrite=True,
            progress=progress,
        )
    print(report)

    clip = Comparison(scene, inputs, interpolator, report.model)
    images.write(pictures[0], clip.side_by_side(len(inputs) // 2 - 1))
    images.write(pictures[1], clip.strip(len(inputs) // 2 - 1, args.multi))
    print(f"PSNR of the {len(inputs) - 1} midpoint frames: {clip.psnr():.2f} dB")
    print("wrote", *(path.as_posix() for path in (source, target, *pictures)))
    return 0


def _draw_gallery(args, scene):
    """Draw every system on the scene's first two frames."""
    from vfi_jax.cli import _gallery

    _check(args, [args.gallery / _gallery.INDEX])
    entries = []
    for name in [args.model] if args.model else _gallery.drawable():
        entries.append(_gallery.entry(name, scene))
        print(f"{name}: {', '.join(entries[-1].pictures)}", flush=True)
    facts = (
        f"Frames 0 and 1 of the procedural scene {args.seed}, {args.width}x{args.height} pixels, "
        f"with motion of up to {SPEED / args.fps:.0f} pixels. "
        "The exact intermediate frames are known."
    )
    _gallery.write(args.gallery, entries, facts)
    print("wrote", (args.gallery / _gallery.INDEX).as_posix())
    return 0


def _check(args, paths):
    """Check that no file exists, unless --overwrite is given."""
    for path in paths:
        if path.exists() and not args.overwrite:
            raise ValueError(f"{path} exists; --overwrite replaces it")
