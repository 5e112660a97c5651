"""See it work: render a moving scene, interpolate it, measure it against the exact frames.

Writes demo_input.mp4 (the rendered clip), demo.mp4 (made smoother), demo_side_by_side.png (a new
frame beside the exact one) and demo_strip.png (input and interpolated frames, over time).
"""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import tyro

LEAST = {"frames": 2, "multi": 1, "fps": 1, "height": 2, "width": 2}  # of Args
SPEED = 200.0  # pixels per second of the fastest points


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax demo`."""

    out: Path = Path(".")
    """Folder to write to; made if it is not there."""

    model: str | None = None
    """A system that `vfi-jax models` lists."""

    multi: int = 4
    """Output frames for each gap between input frames."""

    frames: int = 25
    """Input frames to render."""

    fps: int = 12
    """Input frames per second."""

    height: int = 288
    """Height of the scene, in pixels."""

    width: int = 512
    """Width of the scene, in pixels."""

    seed: int = 1
    """Each gives another scene."""

    overwrite: Annotated[bool, tyro.conf.arg(aliases=["-y"])] = False
    """Replace files that exist."""


def run(args: Args) -> int:
    """Renders, interpolates, measures, draws, and prints a line about each."""
    from vfi_jax import Interpolator, draw, images, load, video
    from vfi_jax.cli._progress import progress_bar
    from vfi_jax.data.scene import Scene

    source, target = args.out / "demo_input.mp4", args.out / "demo.mp4"
    pictures = args.out / "demo_side_by_side.png", args.out / "demo_strip.png"
    _check(args, (source, target, *pictures))
    interpolator = Interpolator(*load(args.model))
    if interpolator.contract.scale != 1:
        raise ValueError(f"{args.model} changes the size of frames; the demo compares them")
    interpolator.check([0.5, *(step / args.multi for step in range(args.multi))])
    args.out.mkdir(parents=True, exist_ok=True)

    scene = Scene(args.seed, args.height, args.width, motion=SPEED / args.fps)
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

    clip = _Comparison(scene, inputs, interpolator, report.model)
    images.write(pictures[0], clip.side_by_side(len(inputs) // 2 - 1))
    images.write(pictures[1], clip.strip(len(inputs) // 2 - 1, args.multi))
    print(f"PSNR of the {len(inputs) - 1} frames half-way: {clip.psnr():.2f} dB")
    print("wrote", *(path.as_posix() for path in (source, target, *pictures)))
    return 0


def _check(args, paths):
    """Refuses numbers out of range and, unless they may be replaced, files that exist."""
    for name, least in LEAST.items():
        if getattr(args, name) < least:
            raise ValueError(f"--{name} must be at least {least}, got {getattr(args, name)}")
    for path in paths:
        if path.exists() and not args.overwrite:
            raise ValueError(f"{path} exists; --overwrite replaces it")


@dataclasses.dataclass(frozen=True)
class _Comparison:
    """A rendered clip and what a model makes of it."""

    scene: Any
    inputs: list
    interpolator: Any
    model: str

    def interpolated(self, times):
        """The model's frames at `times`."""
        return list(self.interpolator.stream(self.inputs, times))

    def psnr(self):
        """Mean over the frames half-way between two, against the exact ones, in dB."""
        from vfi_jax import metrics

        times = [index + 0.5 for index in range(len(self.inputs) - 1)]
        pairs = zip(self.interpolated(times), map(self.scene.frame, times), strict=True)
        decibels = [metrics.psnr(frame / 255, exact) for frame, exact in pairs]
        return float(sum(decibels) / len(decibels))

    def side_by_side(self, index):
        """The frame half-way after frame `index`, the exact one, and how they differ."""
        import numpy as np

        from vfi_jax import draw

        (between,) = self.interpolated([index + 0.5])
        exact = self.scene.frame(index + 0.5)
        error = np.abs(between / 255 - exact)
        flow = self.scene.flow(index, index + 1)
        rows = [
            [
                (f"frame {index}, input", self.inputs[index]),
                (f"half-way, by {self.model}", between),
                (f"frame {index + 1}, input", self.inputs[index + 1]),
            ],
            [
                (
                    f"motion from {index} to {index + 1} (colour: direction)",
                    draw.flow_colours(flow),
                ),
                ("half-way, exact", exact),
                ("difference, 4 times", 4 * error),
            ],
        ]
        return draw.grid(rows, title="A new frame, beside the exact one")

    def strip(self, index, multi):
        """The fastest part from frame `index` to the next: input, interpolated, exact."""
        from vfi_jax import draw

        rows, columns = self._fastest(index)
        times = [index + step / multi for step in range(multi + 1)]
        inputs = [(f"{time}, input", self.inputs[time]) for time in (index, index + 1)]
        interpolated = zip(times, self.interpolated(times), strict=True)
        cells = [
            [inputs[0], *[None] * (multi - 1), inputs[1]],
            [(f"{time:.2f}, interpolated", picture) for time, picture in interpolated],
            [(f"{time:.2f}, exact", self.scene.frame(time)) for time in times],
        ]
        cells = [[cell and (cell[0], cell[1][rows, columns]) for cell in row] for row in cells]
        return draw.grid(cells, title=f"One gap between frames, filled by {self.model}", zoom=1.5)

    def _fastest(self, index):
        """Slices of the part, half as wide and high as the scene, in which most moves."""
        import cv2
        import numpy as np

        height, width = (length // 2 for length in self.inputs[0].shape[:2])
        speed = np.hypot(*np.moveaxis(self.scene.flow(index, index + 1), -1, 0))
        whole = cv2.boxFilter(speed, -1, (width, height), borderType=cv2.BORDER_CONSTANT)
        y, x = np.unravel_index(whole.argmax(), whole.shape)
        top, left = (
            int(np.clip(at - length // 2, 0, length)) for at, length in ((y, height), (x, width))
        )
        return slice(top, top + height), slice(left, left + width)
