"""Score models on a data set or a folder of frames, by a paper's protocol.

Shows a table and, with --out, writes scores.json, scores.csv and report.html: inputs, truth,
result, error and worst patch of every sequence, models side by side.
"""

import dataclasses
from pathlib import Path
from typing import Literal

from tyro.conf import Positional


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax evaluate`."""

    data: Positional[str]
    """A folder that holds a folder of images for each sequence, such as im1.png im2.png im3.png;
    or, with --root, a data set by name, such as middlebury or snu_film/hard."""
    root: Path | None = None
    """Folder that the named data set was downloaded to."""
    split: str = ""
    """Split of the data set. If not given, test, or all sequences of a folder."""
    model: str = ""
    """Models to compare, separated by commas; without it and --baselines, the default model."""
    baselines: str = ""
    """What to compare them with: copy, average, dis (OpenCV's flow); separated by commas; enlarged
    where the models enlarge."""
    flow_scale: float | None = None
    """Fraction of the resolution that the models estimate flow at, where they can choose, as RIFE,
    IFRNet, UPR-Net and others can: ifrnet-snu-film is for 0.8."""
    protocol: str = "default"
    """Conventions to score by: padding, rounding, SSIM, channels; docs/protocols.md lists them."""
    lpips: Literal["", "alex", "vgg"] = ""
    """Score LPIPS too, by this network; its weights and the heads' are needed."""
    temporal: bool = False
    """Score steadiness over time too (tOF and warping error), by PWC-Net, whose weights are
    needed."""
    out: Path | None = None
    """Folder for the files; a second run there goes on where the first stopped."""
    markdown: Path | None = None
    """Page of results to write the means into, such as docs/results.md."""
    first: int | None = None
    """Score only so many sequences."""
    pictures: int = 24
    """Sequences that report.html shows."""


def run(args: Args) -> int:
    """Scores, shows the table, writes the files."""
    import itertools

    from vfi_jax import data, evaluation
    from vfi_jax.cli._progress import progress_bar
    from vfi_jax.data.samples import samples
    from vfi_jax.evaluation.run import compare, write_report

    protocol = evaluation.protocol(args.protocol)
    answers, flows, versions, scale = _answers(args, protocol)
    extras = _extras(args)
    name, root = _source(args)
    clips = list(
        itertools.islice(
            data.clips(name, root, args.split or data.evaluated_split(name)), args.first
        )
    )
    with progress_bar("scoring", "sequences") as advance:
        scores = compare(
            answers,
            samples(clips, protocol, scale=scale),
            protocol,
            extras=extras,
            flows=flows,
            data=_title(args),
            weights=versions,
            out=args.out,
            pictures=args.pictures,
            told=_counted(advance, len(clips)),
        )
    _show(scores, protocol.mean)
    facts = (
        f"{', '.join([f'{len(clips)} sequences', *_part(args)])}; protocol {args.protocol}: "
        f"{protocol.source}{_scaled(args, ';')}; {_machine()}."
    )
    if args.out is not None:
        title = f"{_title(args)}: {', '.join(answers)}"
        page = write_report(
            args.out,
            scores,
            title=title,
            facts=facts,
            mean=protocol.mean,
            pictures=args.pictures,
        )
        print(f"wrote {page}")
    if args.markdown is not None:
        from vfi_jax.evaluation import markdown

        shrunk = f", inputs {scale} times smaller" if scale > 1 else ""
        title = f"{_title(args)}, protocol {args.protocol}{shrunk}{_scaled(args, ',')}"
        section = markdown.results(title, facts, _command(args), scores, mean=protocol.mean)
        markdown.put(args.markdown, section)
        print(f"wrote {args.markdown}")
    return 0


def _answers(args, protocol):
    """What answers, by name; what draws the flow of those that have one; what tells their weights
    from others; the models' scale."""
    import functools

    from vfi_jax import evaluation, weights
    from vfi_jax.evaluation.flows import flow_picture
    from vfi_jax.interpolation import Interpolator

    classical = _listed(args.baselines)
    names = _listed(args.model) or ([] if classical else [weights.DEFAULT])
    config = {} if args.flow_scale is None else {"flow_scale": args.flow_scale}
    loaded = {name: weights.load(name, **config) for name in names}
    scales = {model.contract.scale for model, _ in loaded.values()} or {1}
    if len(scales) > 1:
        raise ValueError(f"models of different scales cannot be compared: {', '.join(names)}")
    (scale,) = scales
    baselines = {name: evaluation.baseline(name, scale=scale) for name in classical}
    answers = {
        name: Interpolator(model, variables, padding=protocol.padding, ensemble=protocol.ensemble)
        for name, (model, variables) in loaded.items()
    }
    flows = {name: functools.partial(flow_picture, *pair) for name, pair in loaded.items()}
    versions = {
        name: _checksum(variables) + _scaled(args, " at") for name, (_, variables) in loaded.items()
    }
    return {**answers, **baselines}, flows, versions, scale


def _scaled(args, before):
    """What is said of --flow-scale, so that scores with and without are not taken for the same."""
    return "" if args.flow_scale is None else f"{before} flow_scale {args.flow_scale:g}"


def _checksum(variables):
    import zlib

    import jax
    import numpy as np

    total = 0
    for leaf in jax.tree.leaves(variables):
        total = zlib.crc32(np.ascontiguousarray(leaf).tobytes(), total)
    return f"{total:08x}"


def _extras(args):
    """The further metrics that are asked for."""
    from vfi_jax.evaluation import extras

    chosen = [extras.lpips(args.lpips)] if args.lpips else []
    return [*chosen, extras.temporal()] if args.temporal else chosen


def _listed(names):
    return [part.strip() for part in names.split(",") if part.strip()]


def _source(args):
    """(name, root) of a data set, or of a folder."""
    from vfi_jax import data, lookup

    if _is_folder(args):
        return "frame_folder", Path(args.data)
    if args.root is None and args.data not in data.list_data():
        unknown = lookup.unknown("data set", args.data, data.list_data())
        raise ValueError(f"there is no folder {args.data}, and {unknown}")
    return args.data, args.root


def _is_folder(args):
    # With --root it is a name, whatever else is called so.
    return args.root is None and Path(args.data).is_dir()


def _title(args):
    """A folder by its own name and its parent's, a data set by its name; and what of it."""
    name = "/".join(Path(args.data).resolve().parts[-2:]) if _is_folder(args) else args.data
    return ", ".join([name, *_part(args)])


def _part(args):
    """What is said of a part of a data set, so that its scores are not taken for another's."""
    split = [] if args.split == Args.split else [f"split {args.split}"]
    return split if args.first is None else [*split, f"first {args.first}"]


def _command(args):
    """The command line that measures the same again."""
    import shlex

    words = ["vfi-jax", "evaluate", args.data]
    for field in dataclasses.fields(args):
        value = getattr(args, field.name)
        if field.name in ("data", "out", "pictures") or value == field.default:
            continue
        option = f"--{field.name.replace('_', '-')}"
        words += [option] if value is True else [option, str(value)]
    return shlex.join(words)


def _machine():
    import jax

    device = jax.devices()[0]
    return f"JAX {jax.__version__} on {device.device_kind.strip() or device.platform}"


def _counted(advance, total):
    count = iter(range(1, total + 1))
    return lambda name, scores: advance(next(count), total)


def _show(scores, mean):
    """A row for each sequence and model: columns for each would not fit a screen."""
    from rich.console import Console
    from rich.table import Table

    from vfi_jax.evaluation import tables

    columns = {name: tables.COLUMNS[name] for name in tables.columns(scores)}
    table = Table("sequence", "model", box=None)
    for column in columns.values():
        table.add_column(column.heading, justify="right")
    names = next(iter(scores.values()))
    rows = {name: {model: scores[model][name] for model in scores} for name in names}
    means = tables.means(scores, of=mean)
    for name, by_model in {**rows, **means}.items():
        for index, (model, values) in enumerate(by_model.items()):
            cells = [column.text(values[metric]) for metric, column in columns.items()]
            style = "bold" if name in means else ""
            table.add_row("" if index else name, model, *cells, style=style)
    console = Console()
    if not console.is_terminal:  # a file has no width that would cut names short
        console.width = max(console.width, console.measure(table).maximum)
    console.print(table)
    for remark in tables.remarks(scores):
        console.print(remark)
