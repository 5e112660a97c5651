"""Flow estimation at a fraction of the resolution."""

from collections.abc import Sequence

FLOW_SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)


def check_flow_scale(flow_scale: float, allowed: Sequence[float] = FLOW_SCALES) -> None:
    """Check a fraction of the resolution.

    Raises:
      ValueError: it is not in `allowed`.
    """
    if flow_scale not in allowed:
        raise ValueError(f"flow_scale must be one of {allowed}, got {flow_scale}")


def multiple_at(flow_scale: float, multiple: int) -> int:
    """The required multiple of height and width if flow is estimated at `flow_scale`."""
    return max(multiple, round(multiple / flow_scale))
