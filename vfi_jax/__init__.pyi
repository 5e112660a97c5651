"""The public names with their types; `__init__.py` loads them on first use."""

from vfi_jax import losses as losses
from vfi_jax import metrics as metrics
from vfi_jax import ops as ops
from vfi_jax import weights as weights
from vfi_jax.contract import Contract as Contract
from vfi_jax.estimation import depth as depth
from vfi_jax.estimation import flow as flow
from vfi_jax.interpolation import Interpolator as Interpolator
from vfi_jax.interpolation import interpolate as interpolate
from vfi_jax.registry import create as create
from vfi_jax.registry import list_models as list_models
from vfi_jax.video import interpolate_video as interpolate_video
from vfi_jax.weights import load as load

__version__: str
_HOME: dict[str, str]
