"""Estimate optical flow between two images, as a flow file or a colour-coded image."""

import dataclasses
from pathlib import Path

from tyro.conf import Positional


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax flow`."""

    first: Positional[Path]
    """First image."""
    second: Positional[Path]
    """Second image."""
    out: Path | None = None
    """Output flow file: .flo (Middlebury) or .png (KITTI, 16 bits)."""
    picture: Path | None = None
    """Output PNG with direction as hue and length as saturation."""
    largest: float | None = None
    """Length in pixels shown at full saturation. Default: the longest flow."""
    network: str = "shared_pyramid"
    """Flow network, or a path to its weights. shared_pyramid is included; gmflow, pwc_net,
    flownet_s and spynet need the authors' weights."""


def check(args: Args) -> None:
    """Check the files before weights are downloaded."""
    from vfi_jax import images
    from vfi_jax.cli._outputs import check_png, create_folders
    from vfi_jax.data.flow_files import check_flow_path

    if args.out is None and args.picture is None:
        raise ValueError("nothing to write; pass --out FILE.flo or --picture FILE.png")
    if args.out is not None:
        check_flow_path(args.out)
    if args.picture is not None:
        check_png("--picture", args.picture)
    images.inspect([args.first, args.second])  # its error names the image with the wrong size
    create_folders(args.out, args.picture)


def run(args: Args) -> int:
    """Estimate the flow, write the outputs and print the mean and maximum length."""
    import numpy as np

    import vfi_jax
    from vfi_jax import draw, images
    from vfi_jax.data.flow_files import write_flow

    frames = [images.read(path) for path in (args.first, args.second)]
    flow = vfi_jax.flow(*frames, network=args.network)
    if args.out is not None:
        write_flow(args.out, flow)
    if args.picture is not None:
        images.write(args.picture, draw.flow_colours(flow, largest=args.largest))
    length = np.hypot(flow[..., 0], flow[..., 1])
    print(f"{length.mean():.2f} pixels on average, {length.max():.2f} at most")
    return 0
