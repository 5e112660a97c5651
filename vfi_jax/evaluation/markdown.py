"""Results and conventions as pages of the documentation."""

import re
from collections.abc import Iterable
from pathlib import Path

from vfi_jax.evaluation import tables
from vfi_jax.evaluation.protocols import PROTOCOLS
from vfi_jax.evaluation.tables import COLUMNS, Scores

HEAD = (
    "# Results\n\nEvery table was written by the command above it; running it again replaces it.\n"
)
FIELDS = (
    *("padding", "ensemble", "rounding", "ssim", "channels", "error", "select", "mean", "data"),
)


def results(
    title: str, facts: str, command: str, scores: Scores, *, mean: str = "sequences"
) -> str:
    """A section of a results page: the means of each model, by group where there are groups.

    Args:
      title: names data and protocol; a page has one section of a title.
      facts: one line on what was measured.
      command: that measured it.
      scores: by model, then by sequence, then by metric.
      mean: of a protocol.
    """
    metrics = tables.columns(scores)
    headings = ["", "model", *(COLUMNS[metric].heading for metric in metrics)]
    lines = [line(headings), line(["---", "---", *("---:" for _ in metrics)])]
    for label, by_model in tables.means(scores, of=mean).items():
        for model, values in by_model.items():
            texts = []
            for metric in metrics:
                column = COLUMNS[metric]
                best = column.text(column.best(other[metric] for other in by_model.values()))
                text = column.text(values[metric])
                texts.append(f"**{text}**" if len(by_model) > 1 and text == best else text)
            lines.append(line([label, model, *texts]))
    lines += [f"\n{remark}" for remark in tables.remarks(scores)]
    return f"## {title}\n\n{facts}\n\n```\n{command}\n```\n\n" + "\n".join(lines) + "\n"


def put(page: Path, section: str) -> None:
    """Writes a section into a page, in the place of one with the same heading if there is one."""
    text = page.read_text() if page.exists() else HEAD
    head, *sections = re.split(r"(?m)^(?=## )", text)
    heading = section.partition("\n")[0]
    kept = [other.strip() for other in sections]
    places = [i for i, other in enumerate(kept) if other.partition("\n")[0] == heading]
    if places:
        kept[places[0]] = section.strip()
    else:
        kept.append(section.strip())
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n\n".join([head.strip(), *kept]) + "\n")


def protocols() -> str:
    """The page that lists every protocol's conventions."""
    lines = [
        "# Protocols",
        "",
        "A number in a paper's table depends on how frames are padded, rounded and compared. "
        "`vfi-jax evaluate --protocol NAME` scores by one of these; only numbers of one protocol "
        "compare. Models take RGB, so channel order is no part of a protocol.",
        "",
        line(["protocol", *FIELDS, "masked"]),
        line(["---"] * (len(FIELDS) + 2)),
    ]
    for name, protocol in PROTOCOLS.items():
        values = [getattr(protocol, field) or "any" for field in FIELDS]
        lines.append(line([f"`{name}`", *values, "yes" if protocol.masked else "no"]))
    lines += [
        "",
        "- **padding**: how frames are brought to the model's size, a name of "
        "`vfi_jax.interpolation.PADDINGS`.",
        "- **ensemble**: test-time augmentation; `flip2` averages with the answer to frames turned "
        "by half a turn.",
        "- **rounding** of the prediction to 8 bit before it is scored; `none` only clips.",
        "- **ssim**: the convention of `vfi_jax.metrics.ssim`. One pair of frames can have .94 by "
        "`skimage` and .99 by `rife`.",
        "- **channels** that PSNR and SSIM see: RGB, or Y in studio (16 to 235) or full range.",
        "- HaarPSI and GMSD always see RGB and whole frames: `vfi_jax.metrics` has their "
        "definitions. Both follow what viewers prefer where PSNR does not tell frames apart.",
        "- **error**: the convention of `vfi_jax.metrics.interpolation_error`, on 8-bit values.",
        "- **select**: frames that are given; the others are predicted.",
        "- **mean** of all: of `sequences`, or of the means of their `groups`, such as the videos "
        "that triplets are of.",
        "- **data**: the set that it is quoted on; it scores any other alike.",
        "- **masked**: PSNR over the published motion mask alone.",
        "",
        "## Where the conventions were read",
        "",
        *(f"- `{name}`: {protocol.source}" for name, protocol in PROTOCOLS.items()),
        "",
        "This page is written by `python -m vfi_jax.evaluation.markdown > docs/protocols.md`.",
        "",
    ]
    return "\n".join(lines)


def line(cells: Iterable[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(protocols(), end="")
