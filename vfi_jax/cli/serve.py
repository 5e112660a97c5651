"""Serve a web page for interpolating videos.

The server runs until it is stopped and is reachable only from this machine unless --host or --share
is set.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax serve`."""

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for all network interfaces."""

    port: int = 7860
    """Port to listen on."""

    share: bool = False
    """Create a public link through gradio, for example on Colab."""

    max_file_size: str = "4gb"
    """Maximum size of an uploaded video, such as 500mb."""


def run(args: Args) -> int:
    """Serve the page until interrupted."""
    from vfi_jax import serve

    serve.page().launch(
        server_name=args.host,
        server_port=args.port,
        share=args.share,
        max_file_size=args.max_file_size,
    )
    return 0
