"""Estimate the depth of an image, as a 16-bit image of 1 / depth (near is bright)."""

import dataclasses
from pathlib import Path

from tyro.conf import Positional


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax depth`."""

    image: Positional[Path]
    """The image."""
    out: Path
    """Output PNG: 65535 is the nearest pixel, half of that is twice as far."""
    network: str = "megadepth"
    """Depth network, or a path to its weights."""


def check(args: Args) -> None:
    """Check the files before weights are downloaded."""
    from vfi_jax import images
    from vfi_jax.cli._outputs import check_png, create_folders

    check_png("--out", args.out)
    images.inspect([args.image])
    create_folders(args.out)


def run(args: Args) -> int:
    """Estimate the depth, write the image and print the range."""
    import vfi_jax
    from vfi_jax import draw, images

    depth = vfi_jax.depth(images.read(args.image), network=args.network)
    images.write(args.out, draw.depth_greys(depth).repeat(3, axis=-1))
    print(f"the farthest pixel is {depth.max() / depth.min():.2f} times as far as the nearest")
    return 0
