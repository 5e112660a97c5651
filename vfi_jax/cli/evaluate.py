"""Score models on a data set or a folder of frames, by a paper's protocol.

Shows a table and, with --out, writes scores.json, scores.csv and report.html: inputs, truth,
result, error and worst patch of every sequence, models side by side.
"""

import dataclasses
from pathlib import Path

from tyro.conf import Positional


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax evaluate`."""

    data: Positional[str]
    """A data set by name, such as middlebury or snu_film/hard (with --root); or a folder that holds
    a folder of images for each sequence, such as im1.png im2.png im3.png."""
    root: Path | None = None
    """Folder that the data set was downloaded to."""
    split: str = "test"
    """Split of the data set."""
    model: str = ""
    """Models to compare, separated by commas; the default model if empty."""
    protocol: str = "default"
    """Conventions to score by: padding, rounding, SSIM, channels."""
    out: Path | None = None
    """Folder for the files; a second run there goes on where the first stopped."""
    first: int | None = None
    """Score only so many sequences."""
    pictures: int = 24
    """Sequences that report.html shows."""


def run(args: Args) -> int:
    """Scores, shows the table, writes the files."""
    import itertools

    from vfi_jax import data, evaluation, weights
    from vfi_jax.cli._progress import progress_bar
    from vfi_jax.data.samples import samples
    from vfi_jax.evaluation.run import compare, write_report
    from vfi_jax.interpolation import Interpolator

    protocol = evaluation.protocol(args.protocol)
    name, root = _source(args)
    names = [part.strip() for part in args.model.split(",") if part.strip()] or [weights.DEFAULT]
    loaded = {model: weights.load(model) for model in names}
    scales = {model.contract.scale for model, _ in loaded.values()}
    if len(scales) > 1:
        raise ValueError(f"models of different scales cannot be compared: {', '.join(names)}")
    interpolators = {
        name: Interpolator(model, variables, padding=protocol.padding, ensemble=protocol.ensemble)
        for name, (model, variables) in loaded.items()
    }
    clips = list(itertools.islice(data.clips(name, root, args.split), args.first))
    with progress_bar("scoring") as advance:
        scores = compare(
            interpolators,
            samples(clips, protocol, scale=scales.pop()),
            protocol,
            out=args.out,
            pictures=args.pictures,
            told=_counted(advance, len(clips)),
        )
    _show(scores)
    if args.out is not None:
        facts = (
            f"{len(clips)} sequences of {args.data}; protocol {args.protocol}: {protocol.source}"
        )
        page = write_report(args.out, scores, title=f"{args.data}: {', '.join(names)}", facts=facts)
        print(f"wrote {page}")
    return 0


def _source(args):
    """(name, root) of a data set, or of a folder."""
    folder = Path(args.data)
    if folder.is_dir():
        return "frame_folder", folder
    return args.data, args.root


def _counted(advance, total):
    count = iter(range(1, total + 1))
    return lambda name, scores: advance(next(count), total)


def _show(scores):
    from rich.console import Console
    from rich.table import Table

    from vfi_jax.evaluation.report import FORMATS, HEADINGS
    from vfi_jax.evaluation.run import mean

    table = Table("sequence", box=None)
    for model in scores:
        for heading in HEADINGS.values():
            table.add_column(f"{model}\n{heading}", justify="right")
    rows = {name: [scores[model][name] for model in scores] for name in next(iter(scores.values()))}
    rows["mean"] = [mean(scores[model]) for model in scores]
    for name, columns in rows.items():
        cells = [FORMATS[m].format(column[m]) for column in columns for m in HEADINGS]
        table.add_row(name, *cells, style="bold" if name == "mean" else "")
    Console().print(table)
