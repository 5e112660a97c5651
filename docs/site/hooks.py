"""MkDocs hooks: links to files outside docs/, generated tables, and pages missing from the menu."""

import ast
import contextlib
import io
import re
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

from vfi_jax import arguments, lookup, registry, weights
from vfi_jax.cli.__main__ import COMMANDS, commands
from vfi_jax.contract import Contract

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(r"(\]\()((?:\.\./)+[^)#\s]*)((?:#[^)\s]*)?\))")
VARIANTS = re.compile(r"^<!-- variants: (\w+) -->$", re.MULTILINE)


def on_config(config: Any) -> Any:
    """Set the repository's address from pyproject.toml, and append pages missing from the menu."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    config.repo_url, config.repo_name = project["urls"]["Repository"], "GitHub"
    listed = str(config.nav)
    free = sorted(page.name for page in DOCS.glob("*.md") if page.name not in listed)
    if free:
        config.nav = [*config.nav, {"More": free}]
    return config


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Insert generated text, and link files outside docs/ to the repository."""
    folder = PurePosixPath(page.file.src_uri).parent
    markdown = VARIANTS.sub(lambda found: variants(found[1]), markdown)
    for mark, written in (("commands", command_help), ("data sets", data_sets)):
        mark = f"<!-- {mark} -->"
        markdown = markdown.replace(mark, written()) if mark in markdown else markdown
    return LINK.sub(lambda found: _outside(found, folder, config.repo_url), markdown)


def variants(system: str) -> str:
    """A Markdown table of a system's variants: predicted times, and source of the weights."""
    names = [name for name in registry.list_models() if registry.split(name)[0] == system]
    rows = [
        "| name | predicts | weights | licence of the weights |",
        "| --- | --- | --- | --- |",
    ]
    for name in names:
        rows.append(f"| `{name}` | {_answers(registry.create(name).contract)} | {_weights(name)} |")
    return "\n".join(rows)


def command_help() -> str:
    """The `--help` text of every command."""
    sections = []
    for name in commands():
        module = lookup.module(COMMANDS, name, kind="command")
        text = io.StringIO()
        with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
            prog = f"vfi-jax {name}"
            arguments.parse(module.Args, ["--help"], prog=prog, description="")
        plain = re.sub(r"\x1b\[[0-9;]*m", "", text.getvalue()).rstrip()
        about = (module.__doc__ or "").strip()
        sections.append(f"## vfi-jax {name}\n\n{about}\n\n```text\n{plain}\n```\n")
    return "\n".join(sections)


def data_sets() -> str:
    """Description, variants, splits and layout of each data set, from the builders' files."""
    sections = []
    for file in sorted((ROOT / "vfi_jax/data/builders").glob("[!_]*.py")):
        tree = ast.parse(file.read_text())
        named = {
            node.targets[0].id: ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id in ("LAYOUT", "SPLITS", "VARIANTS")
        }
        about = (ast.get_docstring(tree) or "").strip()
        facts = [
            f"{label}: {', '.join(f'`{one}`' for one in named[key])}."
            for key, label in (("VARIANTS", "Variants"), ("SPLITS", "Splits"))
            if named.get(key)
        ]
        layout = (
            f"```text\n{named['LAYOUT']}\n```" if named.get("LAYOUT") else "No download needed."
        )
        sections.append(f"## {file.stem}\n\n{about}\n\n{' '.join(facts)}\n\n{layout}\n")
    return "\n".join(sections)


def _answers(contract: Contract) -> str:
    if contract.times is None:
        return "any time"
    times = ", ".join(f"{time:g}" for time in contract.times[:3])
    more = ", ..." if len(contract.times) > 3 else ""
    enlarged = f", upscaled {contract.scale} times" if contract.scale > 1 else ""
    frames = f" of {contract.frames} frames" if contract.frames > 2 else ""
    return f"time {times}{more}{frames}{enlarged}"


def _weights(name: str) -> str:
    """Two table cells: source of the weights, and their licence."""
    if weights.places.packaged_folder(name).is_dir():
        return "included | Apache-2.0"
    source = weights.source(name)
    if source.url:
        return f"downloaded at first use | {source.licence}"
    if source.file or source.page:
        return (
            f"`{source.file}`, manual download | {source.licence}"
            if source.file
            else (f"[manual download]({source.page}) | {source.licence}")
        )
    return "none released | "


def _outside(found: re.Match, folder: PurePosixPath, repository: str) -> str:
    path = (DOCS / folder / found[2]).resolve()
    if path.is_relative_to(DOCS):
        return found[0]
    if not path.exists():
        raise ValueError(f"{folder}: {found[2]} does not exist in the repository")
    kind = "tree" if path.is_dir() else "blob"
    return f"{found[1]}{repository}/{kind}/main/{path.relative_to(ROOT).as_posix()}{found[3]}"
