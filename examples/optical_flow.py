"""Draw the motion between two images: flow, occlusion, and one image warped to the other.

python examples/optical_flow.py                       # renders a scene first
python examples/optical_flow.py A.png B.png
"""

import argparse

import jax.numpy as jnp
import numpy as np
from PIL import Image

import vfi_jax
from vfi_jax import draw, ops
from vfi_jax.data.scene import Scene


def main() -> None:
    """Estimate flow in both directions and write flow.png."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("images", nargs="*", help="two images; default: a rendered scene")
    parser.add_argument("--network", default="shared_pyramid", help="as for vfi_jax.flow")
    parser.add_argument("--out", default="flow.png")
    parser.add_argument("--size", type=int, nargs=2, default=(192, 320), help="size of the scene")
    args = parser.parse_args()
    if args.images:
        frame0, frame1 = (np.asarray(Image.open(name).convert("RGB")) for name in args.images)
    else:
        scene = Scene(3, *args.size, motion=8)
        frame0, frame1 = (draw.as_bytes(scene.frame(time)) for time in (0, 1))
    flow01 = jnp.asarray(vfi_jax.flow(frame0, frame1, network=args.network))
    flow10 = jnp.asarray(vfi_jax.flow(frame1, frame0, network=args.network))
    hidden = ops.occlusion_mask(flow01, flow10)
    warped = ops.backward_warp(jnp.float32(frame1) / 255, flow01, padding="border")
    rows = [
        [("frame 0", frame0), ("frame 1", frame1)],
        [("flow", draw.flow_colours(flow01)), ("occluded", draw.greys(hidden, largest=1.0))],
        [("frame 1, warped to frame 0", warped), ("difference", jnp.abs(warped - frame0 / 255))],
    ]
    Image.fromarray(draw.grid(rows, title="Motion between two frames")).save(args.out)
    print(f"mean length {np.linalg.norm(flow01, axis=-1).mean():.2f} pixels; wrote {args.out}")


if __name__ == "__main__":
    main()
