"""Depth of an image, as a 16-bit picture of 1 / depth in which near is bright."""

import dataclasses
from pathlib import Path

from tyro.conf import Positional


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax depth`."""

    image: Positional[Path]
    """The image."""
    out: Path
    """PNG to write: 65535 is the nearest pixel, half of that twice as far."""
    network: str = "megadepth"
    """Depth network, or a path to its weights."""


def check(args: Args) -> None:
    """Refuses a file that cannot be written, before weights are fetched."""
    from vfi_jax.cli._png import check_png

    check_png("--out", args.out)


def run(args: Args) -> int:
    """Estimates the depth, writes the picture and prints the range."""
    import vfi_jax
    from vfi_jax import draw, images

    depth = vfi_jax.depth(images.read(args.image), network=args.network)
    images.write(args.out, draw.depth_greys(depth).repeat(3, axis=-1))
    print(f"the farthest pixel is {depth.max() / depth.min():.2f} times as far as the nearest")
    return 0
