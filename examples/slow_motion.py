"""Slow down a video with interpolated frames.

python examples/slow_motion.py                        # renders a scene first
python examples/slow_motion.py in.mp4 slow.mp4 --slow 4
"""

import argparse
from pathlib import Path

import vfi_jax
from vfi_jax import draw, video
from vfi_jax.data.scene import Scene


def main() -> None:
    """Parse the command line and interpolate."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("source", nargs="?", help="a video; default: a rendered scene")
    parser.add_argument("target", nargs="?", default="slow.mp4")
    parser.add_argument("--slow", type=int, default=4, help="how many times as long the result is")
    parser.add_argument("--model", default="tween", help="a name from `vfi-jax models`")
    parser.add_argument("--size", type=int, nargs=2, default=(288, 512), help="size of the scene")
    args = parser.parse_args()
    source = args.source or render(Path("scene.mp4"), *args.size)
    report = vfi_jax.interpolate_video(
        source, args.target, model=args.model, slow=args.slow, overwrite=True
    )
    print(report)


def render(path: Path, height: int, width: int) -> Path:
    """A second of a moving scene, as a video."""
    scene = Scene(1, height, width, motion=height / 18)
    frames = (draw.as_bytes(scene.frame(time)) for time in range(12))
    video.write_frames(path, frames, fps=12, overwrite=True)
    return path


if __name__ == "__main__":
    main()
