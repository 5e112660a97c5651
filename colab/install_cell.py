# Install vfi_jax from an uploaded wheel, the package index, or the repository.
import glob
import importlib.util
import os
import shutil
import subprocess
import sys

REPOSITORY = "$repository"
EXTRAS = "$extras"

if importlib.util.find_spec("vfi_jax") is None:
    devices = glob.glob("/dev/accel0") + glob.glob("/dev/vfio/0")
    tpu = devices or "TPU_ACCELERATOR_TYPE" in os.environ
    hardware = "tpu" if tpu else "cuda" if shutil.which("nvidia-smi") else None
    extras = ",".join(filter(None, [hardware, EXTRAS]))
    extras = f"[{extras}]" if extras else ""
    wheels = sorted(glob.glob("vfi_jax-*.whl"))
    sources = [f"vfi-jax{extras}", f"vfi-jax{extras} @ git+{REPOSITORY}"]
    for source in [f"{wheels[-1]}{extras}"] if wheels else sources:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", source]
        if subprocess.run(pip).returncode == 0:
            break
    else:
        raise RuntimeError(f"vfi_jax could not be installed from {' or '.join(sources)}")

import jax

print("accelerator:", jax.default_backend(), *(device.device_kind for device in jax.devices()))
