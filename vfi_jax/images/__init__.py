"""Image files: listing folders, reading headers and pixels, writing.

No other part of the library reads or writes images.
"""

from vfi_jax.images.colour import PLAIN, Colour, of_codes
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
from vfi_jax.images.read import displayed, read, read_pages
from vfi_jax.images.write import (
    FORMATS,
    OF_8_BITS,
    OF_FLOATS,
    OPAQUE,
    WITHOUT_CHUNKS,
    WRITTEN,
    encode,
    write,
)

__all__ = [
    "FORMATS",
    "OF_8_BITS",
    "OF_FLOATS",
    "OPAQUE",
    "PLAIN",
    "SUFFIXES",
    "WITHOUT_CHUNKS",
    "WRITTEN",
    "Colour",
    "Info",
    "displayed",
    "encode",
    "inspect",
    "is_system_file",
    "list_folders",
    "list_images",
    "loop",
    "natural",
    "of_codes",
    "read",
    "read_info",
    "read_pages",
    "spacing",
    "walk",
    "write",
]
