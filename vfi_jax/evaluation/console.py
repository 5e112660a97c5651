"""Tables of scores for the terminal."""

from rich.console import Console
from rich.table import Table

from vfi_jax.evaluation import tables
from vfi_jax.evaluation.tables import Scores


def show(scores: Scores, *, mean: str = "sequences") -> None:
    """Print a row per sequence and model, then the means and remarks.

    Columns per model would not fit on a screen.

    Args:
      scores: by model, then by sequence, then by metric.
      mean: the protocol's `mean`.
    """
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
    if not console.is_terminal:  # a file has no width limit
        console.width = max(console.width, console.measure(table).maximum)
    console.print(table)
    for remark in tables.remarks(scores):
        console.print(remark, soft_wrap=True)
