"""Open a web page on which a video comes back smoother or slower.

It runs on this machine until it is stopped, and listens to this machine alone unless --host or
--share say otherwise.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax serve`."""

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for everyone who can reach this machine."""

    port: int = 7860
    """Port to listen on."""

    share: bool = False
    """Ask gradio for a public link, as a notebook on Colab needs."""

    max_file_size: str = "4gb"
    """Largest video that is taken, such as 500mb."""


def run(args: Args) -> int:
    """Serves the page until interrupted."""
    from vfi_jax import serve

    serve.page().launch(
        server_name=args.host,
        server_port=args.port,
        share=args.share,
        max_file_size=args.max_file_size,
    )
    return 0
