"""Warping and sampling primitives: pure functions on `[*B, H, W, C]` arrays.

One line a function, sorted; each lives in the file of its family.
"""

from vfi_jax.ops._dispatch import backend as backend
from vfi_jax.ops.occlusion import forward_backward_error as forward_backward_error
from vfi_jax.ops.occlusion import occlusion_mask as occlusion_mask
from vfi_jax.ops.projection import depth_flow_projection as depth_flow_projection
from vfi_jax.ops.projection import fill_holes as fill_holes
from vfi_jax.ops.projection import flow_projection as flow_projection
from vfi_jax.ops.splat import flow_reversal as flow_reversal
from vfi_jax.ops.splat import forward_splat as forward_splat
from vfi_jax.ops.warp import backward_warp as backward_warp
from vfi_jax.ops.warp import inside as inside
from vfi_jax.ops.warp import voxel_warp as voxel_warp

__all__ = [name for name in dir() if callable(globals()[name]) and not name.startswith("_")]
