"""Convert a PyTorch file into weights that `--model` finds.

The file, of torch.save, of TorchScript or of safetensors, is read without PyTorch and without
running any of its code; every array must find its place, or nothing is stored.
"""

import dataclasses
from pathlib import Path

from tyro.conf import Positional


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax convert`."""

    system: Positional[str]
    """Whose weights they are, such as sepconv/l1; `vfi-jax models` lists all. Or the file itself,
    which is then recognised by its keys and shapes."""
    file: Positional[Path | None] = None
    """The file that was made with PyTorch, or the folder with all files of gmfss; without it the
    released one is downloaded, where its authors publish a direct link."""
    out: Path | None = None
    """Folder to store the checkpoint in, instead of your weights folder."""
    key: str | None = None
    """Which set of weights to take where the file holds several, such as params_ema."""


def run(args: Args) -> int:
    """Converts, stores, and prints the licence and what was found."""
    from vfi_jax import weights

    notes: list[str] = []
    alone = args.file is None and Path(args.system).is_file()
    system, file = (None, Path(args.system)) if alone else (args.system, args.file)
    folder = weights.install(system, file, out=args.out, key=args.key, notes=notes)
    print("\n".join(notes))
    print(f"stored in {folder}")
    return 0
