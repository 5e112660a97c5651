"""Flow files: Middlebury's .flo and KITTI's 16-bit PNG."""

from pathlib import Path

import cv2
import numpy as np

MAGIC = np.float32(202021.25)  # first four bytes of a .flo file, "PIEH" (Baker et al. 2011)
UNKNOWN = 1e9  # pixels: a larger component of a .flo flow means that it is not known (ibid.)
KITTI_SCALE = 64.0  # steps of a PNG in a pixel (Geiger et al. 2012, development kit)
KITTI_ZERO = 2**15
KITTI_RANGE = (-KITTI_ZERO / KITTI_SCALE, (2**16 - 1 - KITTI_ZERO) / KITTI_SCALE)  # pixels


def read_flow(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Reads a flow file by its suffix.

    Args:
      path: a .flo or .png file.

    Returns:
      flow `[H, W, 2]` float32 pixels, (x, y), 0 where it is not known; known `[H, W]` bool.

    Raises:
      ValueError: no flow file, damaged, or of another suffix.
      OSError: there is no such file.
    """
    path = check_flow_path(path)
    return _read_flo(path) if path.suffix.lower() == ".flo" else _read_png(path)


def write_flow(path: str | Path, flow: np.ndarray, *, known: np.ndarray | None = None) -> None:
    """Writes a flow file by its suffix: .flo exactly, .png in steps of 1/64 pixel.

    Args:
      path: a .flo or .png file.
      flow: `[H, W, 2]` pixels, (x, y); must be finite where it is known.
      known: `[H, W]`, where the flow is known; None: everywhere.

    Raises:
      ValueError: wrong shape, another suffix, a flow that is not finite, or one beyond the 512
        pixels that a PNG can hold.
    """
    path, flow = check_flow_path(path), np.asarray(flow, np.float32)
    if flow.ndim != 3 or flow.shape[-1] != 2:
        raise ValueError(f"flow must be [H, W, 2], got {flow.shape}")
    known = np.ones(flow.shape[:2], bool) if known is None else np.asarray(known, bool)
    if known.shape != flow.shape[:2]:
        raise ValueError(f"known must be {flow.shape[:2]} to fit flow, got {known.shape}")
    if not np.isfinite(flow[known]).all():
        raise ValueError(f"flow must be finite where it is known, to be written to {path}")
    path.write_bytes(_flo(flow, known) if path.suffix.lower() == ".flo" else _png(flow, known))


def check_flow_path(path: str | Path) -> Path:
    """The path of a flow file, refused by its suffix where that is none's.

    Raises:
      ValueError: another suffix than .flo or .png.
    """
    path = Path(path)
    if path.suffix.lower() not in (".flo", ".png"):
        raise ValueError(f"a flow file ends in .flo (Middlebury) or .png (KITTI), got {path}")
    return path


def _read_flo(path):
    data = path.read_bytes()
    if len(data) < 12 or np.frombuffer(data, "<f4", 1)[0] != MAGIC:
        raise ValueError(f"{path} is no .flo file: it does not begin with PIEH")
    width, height = (int(side) for side in np.frombuffer(data, "<i4", 2, offset=4))
    wanted = 12 + 8 * width * height
    if width < 1 or height < 1 or len(data) != wanted:
        raise ValueError(
            f"{path} is damaged: {width}x{height} needs {wanted} bytes, it has {len(data)}"
        )
    flow = np.frombuffer(data, "<f4", offset=12).reshape(height, width, 2).astype(np.float32)
    known = (np.abs(flow) < UNKNOWN).all(axis=-1)
    return np.where(known[..., None], flow, np.float32(0)), known


def _flo(flow, known):
    height, width = known.shape
    flow = np.where(known[..., None], flow, np.float32(10 * UNKNOWN)).astype("<f4")
    return (
        MAGIC.astype("<f4").tobytes() + np.array([width, height], "<i4").tobytes() + flow.tobytes()
    )


def _read_png(path):
    pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3 or pixels.shape[-1] != 3:
        raise ValueError(f"{path} is no KITTI flow: that is a PNG of three 16-bit channels")
    # OpenCV gives blue, green, red: known, v, u.
    known = pixels[..., 0] > 0
    flow = (pixels[..., :0:-1].astype(np.float32) - KITTI_ZERO) / KITTI_SCALE
    return np.where(known[..., None], flow, np.float32(0)), known


def _png(flow, known):
    low, high = KITTI_RANGE
    if known.any() and not ((flow[known] >= low) & (flow[known] <= high)).all():
        raise ValueError(
            f"a KITTI PNG holds flows from {low:g} to {high:.2f} pixels, got "
            f"{flow[known].min():g} to {flow[known].max():g}; write a .flo"
        )
    steps = np.rint(flow * KITTI_SCALE + KITTI_ZERO)
    pixels = np.zeros((*known.shape, 3), np.uint16)
    pixels[known] = np.concatenate([known[..., None], steps[..., ::-1]], axis=-1)[known]
    return cv2.imencode(".png", pixels)[1].tobytes()
