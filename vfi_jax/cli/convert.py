"""Convert a PyTorch file to weights for `--model`.

Files of torch.save, TorchScript and safetensors are read without PyTorch and without running code
from them. All arrays must match the model, otherwise nothing is stored.
"""

import dataclasses
from pathlib import Path

from tyro.conf import Positional


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax convert`."""

    system: Positional[str]
    """Model of the weights, such as sepconv/l1 (see `vfi-jax models`). Or only the file: the model
    is then recognised from its keys and shapes."""
    file: Positional[Path | None] = None
    """PyTorch file, or the folder with all files of gmfss. Default: download the released file, if
    the authors publish a direct link."""
    out: Path | None = None
    """Output folder. Default: your weights folder."""
    key: str | None = None
    """Name of the set of weights if the file contains several, such as params_ema."""


def run(args: Args) -> int:
    """Convert and store the weights, and print the licence and notes."""
    from vfi_jax import weights
    from vfi_jax.weights import library

    notes: list[str] = []
    alone = args.file is None and not library.names_model(args.system)
    system = None if alone else args.system
    file = library.existing(args.system) if alone else args.file
    folder = weights.install(system, file, out=args.out, key=args.key, notes=notes)
    print("\n".join(notes))
    print(f"stored in {folder}")
    return 0
