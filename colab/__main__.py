"""Writes the shared parts of the notebooks: the Colab badge and the installation cell.

Run `python -m colab` after changing the repository's address in pyproject.toml or install_cell.py.
"""

import json
import re
import tomllib
from pathlib import Path
from string import Template

COLAB = Path(__file__).parent
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
OPEN = "https://colab.research.google.com/github/{path}/blob/main/colab/{name}"
LINKED = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]\([^)]*\)")
EXTRAS = {"train_on_tpu.ipynb": "train"}  # extras that a notebook needs


def repository() -> str:
    """The address of the repository, from pyproject.toml."""
    project = tomllib.loads((COLAB.parent / "pyproject.toml").read_text())["project"]
    return project["urls"]["Repository"]


def badge(name: str) -> str:
    """Markdown of the badge that opens a notebook on Colab."""
    path = repository().removeprefix("https://github.com/")
    return f"[![Open in Colab]({BADGE})]({OPEN.format(path=path, name=name)})"


def install_cell(name: str) -> str:
    """Source of the installation cell."""
    template = Template((COLAB / "install_cell.py").read_text().rstrip())
    return template.substitute(repository=repository(), extras=EXTRAS.get(name, ""))


def main() -> None:
    """Rewrite the first two cells of every notebook, and the badge of README."""
    for file in sorted(COLAB.glob("*.ipynb")):
        notebook = json.loads(file.read_text())
        title, install = notebook["cells"][:2]
        text = "".join(title["source"])
        kept = [part for part in text.split("\n\n") if not part.startswith("[![Open in Colab]")]
        title["source"] = "\n\n".join([kept[0], badge(file.name), *kept[1:]]).splitlines(True)
        install["source"] = install_cell(file.name).splitlines(keepends=True)
        file.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
    readme = COLAB.parent / "README.md"
    readme.write_text(LINKED.sub(lambda _: badge("quickstart.ipynb"), readme.read_text()))


if __name__ == "__main__":
    main()
