"""Flow files: Middlebury's .flo and KITTI's 16-bit PNG."""

from pathlib import Path

import cv2
import numpy as np

MAGIC = np.float32(202021.25)  # first four bytes of a .flo file, "PIEH" (Baker et al. 2011)
UNKNOWN = 1e9  # pixels; larger components in a .flo file mark unknown flow (ibid.)
KITTI_SCALE = 64.0  # PNG levels per pixel of flow (Geiger et al. 2012, development kit)
KITTI_ZERO = 2**15
KITTI_RANGE = (-KITTI_ZERO / KITTI_SCALE, (2**16 - 1 - KITTI_ZERO) / KITTI_SCALE)  # pixels


def read_flow(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a flow file; the suffix selects the format.

    Args:
      path: a .flo or .png file.

    Returns:
      flow `[H, W, 2]` float32 pixels, (x, y), 0 where unknown; known `[H, W]` bool.

    Raises:
      ValueError: the file is not a flow file, is damaged, or has another suffix.
      OSError: the file does not exist.
    """
    path = check_flow_path(path)
    return _read_flo(path) if path.suffix.lower() == ".flo" else _read_png(path)


def write_flow(path: str | Path, flow: np.ndarray, *, known: np.ndarray | None = None) -> None:
    """Write a flow file; the suffix selects .flo (exact) or .png (steps of 1/64 pixel).

    Args:
      path: a .flo or .png file.
      flow: `[H, W, 2]` pixels, (x, y); must be finite where known.
      known: `[H, W]`, mask of known flow; None: flow is known everywhere.

    Raises:
      ValueError: wrong shape or suffix, flow that is not finite, or flow beyond the PNG's range of
        512 pixels.
    """
    path, flow = check_flow_path(path), np.asarray(flow, np.float32)
    if flow.ndim != 3 or flow.shape[-1] != 2:
        raise ValueError(f"flow must be [H, W, 2], got {flow.shape}")
    known = np.ones(flow.shape[:2], bool) if known is None else np.asarray(known, bool)
    if known.shape != flow.shape[:2]:
        raise ValueError(f"known must be {flow.shape[:2]} to fit flow, got {known.shape}")
    if not np.isfinite(flow[known]).all():
        raise ValueError(f"flow must be finite where known to be written to {path}")
    path.write_bytes(_flo(flow, known) if path.suffix.lower() == ".flo" else _png(flow, known))


def check_flow_path(path: str | Path) -> Path:
    """The path of a flow file, after checking its suffix.

    Raises:
      ValueError: the suffix is neither .flo nor .png.
    """
    path = Path(path)
    if path.suffix.lower() not in (".flo", ".png"):
        raise ValueError(f"a flow file must end in .flo (Middlebury) or .png (KITTI), got {path}")
    return path


def _read_flo(path):
    data = path.read_bytes()
    if len(data) < 12 or np.frombuffer(data, "<f4", 1)[0] != MAGIC:
        raise ValueError(f"{path} is not a .flo file: it does not start with PIEH")
    width, height = (int(side) for side in np.frombuffer(data, "<i4", 2, offset=4))
    wanted = 12 + 8 * width * height
    if width < 1 or height < 1 or len(data) != wanted:
        raise ValueError(
            f"{path} is damaged: {width}x{height} needs {wanted} bytes, got {len(data)}"
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
        raise ValueError(f"{path} is not a KITTI flow, which is a PNG with three 16-bit channels")
    # OpenCV returns BGR: known, v, u.
    known = pixels[..., 0] > 0
    flow = (pixels[..., :0:-1].astype(np.float32) - KITTI_ZERO) / KITTI_SCALE
    return np.where(known[..., None], flow, np.float32(0)), known


def _png(flow, known):
    low, high = KITTI_RANGE
    if known.any() and not ((flow[known] >= low) & (flow[known] <= high)).all():
        raise ValueError(
            f"a KITTI PNG can store flow from {low:g} to {high:.2f} pixels, got "
            f"{flow[known].min():g} to {flow[known].max():g}; write a .flo"
        )
    steps = np.rint(flow * KITTI_SCALE + KITTI_ZERO)
    pixels = np.zeros((*known.shape, 3), np.uint16)
    pixels[known] = np.concatenate([known[..., None], steps[..., ::-1]], axis=-1)[known]
    return cv2.imencode(".png", pixels)[1].tobytes()
