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
    """Whose weights they are, such as sepconv; a released file's name tells the variant."""
    file: Positional[Path]
    """The file that was made with PyTorch."""
    middlebury: Path | None = None
    """Folder of Middlebury's OTHER set, to score on it."""


def run(args: Args) -> int:
    """Prints a line for each check; returns 0 if all pass, 1 if one fails."""
    from vfi_jax import registry, weights
    from vfi_jax.evaluation.published import MIDDLEBURY
    from vfi_jax.weights import sources
    from vfi_jax.weights.install import report

    name = sources.released_as(args.system, args.file.name)
    if args.middlebury is not None and name not in MIDDLEBURY:
        known = ", ".join(MIDDLEBURY)
        raise ValueError(f"no Middlebury score of {name} is published; there are: {known}")
    notes: list[str] = []
    arrays = weights.read_torch(args.file)
    variables = weights.convert(name, arrays, notes=notes)
    model = registry.create(name)
    counted = registry.count_parameters(variables)
    print(f"pass: all {len(arrays)} keys have their place; {counted:,} parameters")
    for note in notes:
        print(note)
    found = report(name, model, variables)
    for finding in found:
        print(_verdict(finding.passed), finding.text)
    passed = all(finding.passed for finding in found)
    if args.middlebury is None:
        print("not scored: name Middlebury's folder with --middlebury")
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
