"""Check an author's weights file: converts it, counts, and scores it beside the published number.

The first thing to run where released weights can be had.
"""

import dataclasses
from pathlib import Path

from tyro.conf import Positional


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax verify`."""

    system: Positional[str]
    """Whose weights they are, such as sepconv/l1."""
    file: Positional[Path]
    """The file that was made with PyTorch."""
    middlebury: Path | None = None
    """Folder of Middlebury's OTHER set, to score on it."""


def run(args: Args) -> int:
    """Prints a line for each check; returns 0 if all pass, 1 if one fails."""
    from vfi_jax import registry, weights
    from vfi_jax.weights.install import report

    notes: list[str] = []
    arrays = weights.read_torch(args.file)
    variables = weights.convert(args.system, arrays, notes=notes)
    model = registry.create(args.system)
    counted = registry.count_parameters(variables)
    print(f"pass: all {len(arrays)} keys have their place; {counted:,} parameters")
    for line in (*notes, *report(args.system, model, variables)):
        print(line)
    if args.middlebury is None:
        print("not scored: name Middlebury's folder with --middlebury")
        return 0
    return _score(args, model, variables)


def _score(args, model, variables):
    from vfi_jax import data, evaluation
    from vfi_jax.data.samples import samples
    from vfi_jax.evaluation.published import MIDDLEBURY
    from vfi_jax.evaluation.run import compare
    from vfi_jax.evaluation.tables import mean
    from vfi_jax.interpolation import Interpolator

    published = MIDDLEBURY.get(args.system)
    if published is None:
        known = ", ".join(MIDDLEBURY)
        raise ValueError(f"no Middlebury score of {args.system} is published; there are: {known}")
    protocol = evaluation.protocol(published.protocol)
    interpolator = Interpolator(model, variables, padding=protocol.padding)
    clips = samples(data.clips("middlebury", args.middlebury, "test"), protocol)
    found = mean(compare({args.system: interpolator}, clips, protocol)[args.system])
    failed = False
    for metric, wanted in published.scores.items():
        passed = abs(found[metric] - wanted) <= published.tolerance[metric]
        failed |= not passed
        verdict = "pass" if passed else "FAIL"
        print(f"{verdict}: {metric} {found[metric]:.3f}, published {wanted}")
    return int(failed)
