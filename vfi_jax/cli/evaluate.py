"""Evaluate models on a data set or a folder of frames, with a paper's protocol.

Prints a table and, with --out, writes scores.json, scores.csv and report.html, which shows inputs,
ground truth, result, error and worst patch of every sequence for all models.
"""

import dataclasses
from pathlib import Path
from typing import Literal

from tyro.conf import Positional


@dataclasses.dataclass(frozen=True)
class Args:
    """Options of `vfi-jax evaluate`."""

    data: Positional[str]
    """Folder with one folder of images per sequence, such as im1.png im2.png im3.png; or, with
    --root, the name of a data set, such as middlebury or snu_film/hard."""
    root: Path | None = None
    """Download folder of the named data set."""
    split: str = ""
    """Split of the data set. Default: test; for a folder all sequences."""
    model: str = ""
    """Comma-separated models. Default without --baselines: the default model."""
    baselines: str = ""
    """Comma-separated baselines: copy, average, dis (OpenCV's flow). They are upscaled for models
    that upscale."""
    flow_scale: float | None = None
    """Fraction of the resolution at which flow is estimated, for models with this option such as
    RIFE, IFRNet and UPR-Net. The protocol ifrnet-snu-film expects 0.8."""
    protocol: str = "default"
    """Evaluation protocol (padding, rounding, SSIM, channels); see docs/protocols.md."""
    vif: bool = False
    """Also compute visual information fidelity (VIF); frames must be at least 41x41."""
    lpips: Literal["", "alex", "vgg"] = ""
    """Also compute LPIPS with this network; needs its weights and those of the heads."""
    temporal: bool = False
    """Also compute temporal consistency (tOF and warping error) with PWC-Net; needs its weights."""
    out: Path | None = None
    """Output folder; a second run with the same folder resumes."""
    markdown: Path | None = None
    """Markdown page in which to write the means, such as docs/results.md."""
    first: int | None = None
    """Maximum number of sequences."""
    pictures: int = 24
    """Number of sequences shown in report.html."""


def run(args: Args) -> int:
    """Evaluate, print the table and write the files."""
    import itertools

    from vfi_jax import data, evaluation
    from vfi_jax.cli._progress import progress_bar
    from vfi_jax.data.samples import samples
    from vfi_jax.evaluation import console, markdown
    from vfi_jax.evaluation.comparison import compare, write_report
    from vfi_jax.evaluation.contenders import contenders

    protocol = evaluation.protocol(args.protocol)
    rivals = contenders(
        _listed(args.model), _listed(args.baselines), protocol, flow_scale=args.flow_scale
    )
    extras = _extras(args)
    name, root = _source(args)
    found = data.clips(name, root, args.split or data.evaluated_split(name))
    clips = list(itertools.islice(found, args.first))
    with progress_bar("scoring", "sequences") as advance:
        scores = compare(
            rivals.answers,
            samples(clips, protocol, scale=rivals.scale),
            protocol,
            extras=extras,
            flows=rivals.flows,
            data=_title(args),
            weights=rivals.versions,
            out=args.out,
            pictures=args.pictures,
            on_sample=_counted(advance, len(clips)),
        )
    console.show(scores, mean=protocol.mean)
    facts = (
        f"{', '.join([f'{len(clips)} sequences', *_part(args)])}; protocol {args.protocol}: "
        f"{protocol.source}{_flow_scale(args, ';')}; {_machine()}."
    )
    if args.out is not None:
        page = write_report(
            args.out,
            scores,
            title=f"{_title(args)}: {', '.join(rivals.answers)}",
            facts=facts,
            mean=protocol.mean,
            pictures=args.pictures,
        )
        print(f"wrote {page}")
    if args.markdown is not None:
        shrunk = f", inputs {rivals.scale} times smaller" if rivals.scale > 1 else ""
        title = f"{_title(args)}, protocol {args.protocol}{shrunk}{_flow_scale(args, ',')}"
        section = markdown.results(title, facts, _command(args), scores, mean=protocol.mean)
        markdown.put(args.markdown, section)
        print(f"wrote {args.markdown}")
    return 0


def _flow_scale(args, before):
    """--flow-scale for a title, so that scores with and without it differ visibly."""
    return "" if args.flow_scale is None else f"{before} flow_scale {args.flow_scale:g}"


def _extras(args):
    """The requested additional metrics."""
    from vfi_jax.evaluation import extras

    chosen = [extras.vif()] if args.vif else []
    chosen += [extras.lpips(args.lpips)] if args.lpips else []
    chosen += [extras.temporal()] if args.temporal else []
    return chosen


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
    # With --root it is always a data set's name.
    return args.root is None and Path(args.data).is_dir()


def _title(args):
    """Name of the data: folder with parent, or data set, and the evaluated part."""
    name = "/".join(Path(args.data).resolve().parts[-2:]) if _is_folder(args) else args.data
    return ", ".join([name, *_part(args)])


def _part(args):
    """The evaluated part of a data set, so that scores of different parts are distinguishable."""
    split = [] if args.split == Args.split else [f"split {args.split}"]
    return split if args.first is None else [*split, f"first {args.first}"]


def _command(args):
    """The command line that repeats the evaluation."""
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
