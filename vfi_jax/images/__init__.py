"""Image files: listing folders, reading headers and pixels, writing. The only place in the library
that reads and writes images.
"""

from vfi_jax.images.colour import PLAIN, Colour
from vfi_jax.images.info import Info, inspect, loop, read_info
from vfi_jax.images.names import (
    SUFFIXES,
    is_system_file,
    list_folders,
    list_images,
    natural,
    spacing,
    walk,
)
from vfi_jax.images.read import read, read_pages
from vfi_jax.images.write import encode, write

__all__ = [
    "PLAIN",
    "SUFFIXES",
    "Colour",
    "Info",
    "encode",
    "inspect",
    "is_system_file",
    "list_folders",
    "list_images",
    "loop",
    "natural",
    "read",
    "read_info",
    "read_pages",
    "spacing",
    "walk",
    "write",
]
