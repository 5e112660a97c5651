"""Check an author's weights file: convert it and compare its score with the published one.

Run this first after downloading released weights.
"""

import dataclasses
from pathlib import Path

from tyro.conf import Positional


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax verify`."""

    system: Positional[str]
    """Model of the weights, such as sepconv; the variant is recognised from the file name."""
    file: Positional[Path]
    """PyTorch file."""
    middlebury: Path | None = None
    """Folder of Middlebury's OTHER set, for the score."""


def run(args: Args) -> int:
    """Print a line per check; return 0 if all pass, 1 if one fails."""
    from vfi_jax import registry, weights
    from vfi_jax.evaluation.published import MIDDLEBURY
    from vfi_jax.weights import sources
    from vfi_jax.weights.install import report

    name = sources.released_as(args.system, args.file.name)
    if args.middlebury is not None and name not in MIDDLEBURY:
        known = ", ".join(MIDDLEBURY)
        raise ValueError(f"no Middlebury score of {name} is published; available: {known}")
    notes: list[str] = []
    arrays = weights.read_torch(args.file)
    variables = weights.convert(name, arrays, notes=notes)
    model = registry.create(name)
    counted = registry.count_parameters(variables)
    print(f"pass: all {len(arrays)} keys converted; {counted:,} parameters")
    for note in notes:
        print(note)
    found = report(name, model, variables)
    for finding in found:
        print(_verdict(finding.passed), finding.text)
    passed = all(finding.passed for finding in found)
    if args.middlebury is None:
        print("not scored: pass Middlebury's folder with --middlebury")
    else:
        passed &= _score(MIDDLEBURY[name], name, args.middlebury, model, variables)
    return int(not passed)


def _verdict(passed):
    return "pass:" if passed else "FAIL:"


def _score(published, name, middlebury, model, variables):
    """Whether the published score is reproduced."""
    from vfi_jax import data, evaluation
    from vfi_jax.data.samples import samples
    from vfi_jax.evaluation.comparison import compare
    from vfi_jax.evaluation.tables import mean
    from vfi_jax.interpolation import Interpolator

    protocol = evaluation.protocol(published.protocol)
    interpolator = Interpolator(model, variables, padding=protocol.padding)
    clips = samples(data.clips("middlebury", middlebury, "test"), protocol)
    found = mean(compare({name: interpolator}, clips, protocol)[name])
    all_passed = True
    for metric, wanted in published.scores.items():
        passed = abs(found[metric] - wanted) <= published.tolerance[metric]
        all_passed &= passed
        line = f"{metric} {found[metric]:.3f}, published {wanted} in {published.source}"
        print(_verdict(passed), line)
    return all_passed
