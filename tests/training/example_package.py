"""The package of docs/extending.md: a system of one parameter, which compiles in a second."""

import re
import tomllib

from tests.support import ROOT

SYSTEM = "weighted"


def install(folder):
    """Leaves the package in a folder as `pip install --target` does; returns the folder."""
    page = (ROOT / "docs/extending.md").read_text()
    about, module = (
        re.search(rf"```{language}\n(.*?)```", page, re.DOTALL)[1]
        for language in ("toml", "python")
    )
    project = tomllib.loads(about)["project"]
    metadata = folder / f"{project['name']}-{project['version']}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in project["entry-points"].items()
    ]
    (metadata / "entry_points.txt").write_text("\n".join(groups))
    (folder / f"{project['name']}.py").write_text(module)
    return folder
