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
    vif: bool = False
    """Score visual information fidelity (VIF) too; frames must be at least 41x41."""
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
    """--flow-scale in a title, so that scores with and without are not taken for the same."""
    return "" if args.flow_scale is None else f"{before} flow_scale {args.flow_scale:g}"


def _extras(args):
    """The further metrics that were requested."""
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
    # With --root it is a name, whatever else is called so.
    return args.root is None and Path(args.data).is_dir()


def _title(args):
    """A folder by its own name and its parent's, a data set by its name; and what of it."""
    name = "/".join(Path(args.data).resolve().parts[-2:]) if _is_folder(args) else args.data
    return ", ".join([name, *_part(args)])


def _part(args):
    """Names the part of a data set that is scored, so that no scores are taken for another's."""
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
