"""Warping and sampling primitives: pure functions on `[*B, H, W, C]` arrays.

One export line per function, sorted. Each function is defined in its family's file.
"""

from vfi_jax.ops._dispatch import backend as backend
from vfi_jax.ops.adaptive import adaptive_flow_conv as adaptive_flow_conv
from vfi_jax.ops.adaptive import adaptive_separable_conv as adaptive_separable_conv
from vfi_jax.ops.adaptive import adaptive_warp as adaptive_warp
from vfi_jax.ops.census import census_transform as census_transform
from vfi_jax.ops.correlation import all_pairs_correlation as all_pairs_correlation
from vfi_jax.ops.correlation import correlate_around as correlate_around
from vfi_jax.ops.correlation import correlation_lookup as correlation_lookup
from vfi_jax.ops.correlation import cost_volume as cost_volume
from vfi_jax.ops.deformable import deformable_conv as deformable_conv
from vfi_jax.ops.occlusion import forward_backward_error as forward_backward_error
from vfi_jax.ops.occlusion import occlusion_mask as occlusion_mask
from vfi_jax.ops.projection import depth_flow_projection as depth_flow_projection
from vfi_jax.ops.projection import fill_holes as fill_holes
from vfi_jax.ops.projection import flow_projection as flow_projection
from vfi_jax.ops.pyramid import gaussian_pyramid as gaussian_pyramid
from vfi_jax.ops.pyramid import laplacian_pyramid as laplacian_pyramid
from vfi_jax.ops.pyramid import reconstruct_laplacian as reconstruct_laplacian
from vfi_jax.ops.resize import imresize as imresize
from vfi_jax.ops.resize import resize_bilinear as resize_bilinear
from vfi_jax.ops.resize import resize_flow as resize_flow
from vfi_jax.ops.shuffle import pixel_shuffle as pixel_shuffle
from vfi_jax.ops.shuffle import pixel_unshuffle as pixel_unshuffle
from vfi_jax.ops.splat import flow_reversal as flow_reversal
from vfi_jax.ops.splat import forward_splat as forward_splat
from vfi_jax.ops.warp import backward_warp as backward_warp
from vfi_jax.ops.warp import inside as inside
from vfi_jax.ops.warp import voxel_warp as voxel_warp

__all__ = [name for name in dir() if callable(globals()[name]) and not name.startswith("_")]
