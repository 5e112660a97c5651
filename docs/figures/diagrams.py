"""Block diagrams of the systems as SVG, from docs/figures/diagrams.toml."""

import html
import tomllib
from pathlib import Path

PLAN = Path(__file__).with_suffix(".toml")
BOX_HEIGHT, GAP_X, GAP_Y, MARGIN = 34, 46, 14, 8  # pixels
LETTER = 6.7  # approximate width of a letter in pixels
FILL = {"array": "#e7eefb", "network": "#fdf0d8", "op": "#e4f3e6"}
EDGE = {"array": "#3b62a8", "network": "#a8731a", "op": "#2f7d46"}


def draw(folder: Path) -> list[Path]:
    """Write `<system>.svg` for each system in the TOML file.

    A table of the plan is a system. `columns` lists boxes from left to right, each "kind: text"
    where the kind is array, network or op. `arrows` lists "text > text"; without it, every box
    leads to every box of the next column.
    """
    files = []
    for system, plan in tomllib.loads(PLAN.read_text()).items():
        file = folder / f"{system}.svg"
        file.write_text(diagram(system, plan["columns"], plan.get("arrows")))
        files.append(file)
    return files


def diagram(system: str, columns: list[list[str]], arrows: list[str] | None) -> str:
    """The SVG of one system."""
    boxes = [[box.split(": ", 1) for box in column] for column in columns]
    widths = [max(len(text) for _, text in column) * LETTER + 20 for column in boxes]
    tallest = max(map(len, boxes))
    height = 2 * MARGIN + tallest * (BOX_HEIGHT + GAP_Y) - GAP_Y
    places, shapes, left = {}, [], float(MARGIN)
    for column, width in zip(boxes, widths, strict=True):
        used = len(column) * (BOX_HEIGHT + GAP_Y) - GAP_Y
        top = (height - used) / 2
        for kind, text in column:
            places[text] = left, top, width
            shapes.append(_box(kind, text, left, top, width))
            top += BOX_HEIGHT + GAP_Y
        left += width + GAP_X
    pairs = (
        [tuple(arrow.split(" > ", 1)) for arrow in arrows]
        if arrows
        else [(a, b) for i in range(len(boxes) - 1) for _, a in boxes[i] for _, b in boxes[i + 1]]
    )
    lines = [_arrow(places[start], places[end]) for start, end in pairs]
    width = left - GAP_X + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12.5">\n'
        f"<title>{html.escape(system)}: data flow</title>\n"
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 Z" fill="#667"/></marker></defs>\n'
        f"{''.join(lines)}{''.join(shapes)}</svg>\n"
    )


def _box(kind, text, left, top, width):
    radius = 16 if kind == "array" else 4
    return (
        f'<rect x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{BOX_HEIGHT}" '
        f'rx="{radius}" fill="{FILL[kind]}" stroke="{EDGE[kind]}"/>'
        f'<text x="{left + width / 2:.0f}" y="{top + BOX_HEIGHT / 2 + 4:.0f}" '
        f'text-anchor="middle" fill="#1d1f23">{html.escape(text)}</text>\n'
    )


def _arrow(start, end):
    x0, y0 = start[0] + start[2], start[1] + BOX_HEIGHT / 2
    x1, y1 = end[0], end[1] + BOX_HEIGHT / 2
    middle = (x1 - GAP_X + x1) / 2
    return (
        f'<path d="M{x0:.0f} {y0:.0f} L{x1 - GAP_X:.0f} {y0:.0f} C{middle:.0f} {y0:.0f} '
        f'{middle:.0f} {y1:.0f} {x1 - 2:.0f} {y1:.0f}" fill="none" stroke="#667" '
        'marker-end="url(#head)"/>\n'
    )
