"""Recognises files of unsupported systems, to reject them with a helpful message."""

import re
from collections.abc import Iterable, Mapping

SUCCESSOR = "Practical-RIFE 4.x succeeds it: vfi-jax convert practical_rife/4.25"

# A file is of a kind if every pattern of the kind matches one of its keys.
KINDS: Mapping[str, tuple[str, ...]] = {
    "RIFE HD v1 (flownet.pkl)": (r"block\d\.res\d\.fc1\.weight", r"block3\.conv1\.weight"),
    "RIFE HD v2 (flownet.pkl)": (r"block\d\.convblock\.5\.0\.weight", r"block3\.conv1\.weight"),
    "RIFE HD v3 (flownet.pkl)": (r"block\d\.convblock3\.1\.0\.weight", r"block2\.conv1\..+"),
    "RIFE HD v1 or v2 (contextnet.pkl)": (r"conv0\.conv1\..+", r"conv4\.conv2\..+"),
    "RIFE HD v1 or v2 (unet.pkl)": (r"down3\.conv2\..+", r"up3\.0\.weight", r"conv0\.conv1\..+"),
}


def kind(keys: Iterable[str]) -> str:
    """Message for a file with these keys if it is known and not supported; otherwise ""."""
    keys = list(keys)
    for name, patterns in KINDS.items():
        if all(any(re.fullmatch(pattern, key) for key in keys) for pattern in patterns):
            return f"this is {name}, which is not supported; {SUCCESSOR}"
    return ""
