"""What ``tsunagu plan`` says of losses that know the training events: numbers, weights and margins of each class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table as Grid

from tsunagu.cli.conditions import spelled
from tsunagu.data import Split, Table
from tsunagu.errors import DataError
from tsunagu.losses import CountedLoss
from tsunagu.spec import LossTerm, Pipeline, architectures, canonical, resolve
from tsunagu.tasks import fit_loss, plain_loss

__all__ = ["describe_losses"]


def describe_losses(pipelines: Sequence[Pipeline], table: Table, split: Split) -> Iterator[Grid | str]:
    """A table for each loss that counts the classes; nothing where none does, and the reason where it cannot."""
    found: dict[str, tuple[str, LossTerm]] = {}
    for pipeline in pipelines:
        for task in pipeline.tasks.values():
            terms = (resolve(term, own) for term in task.losses for own in architectures(term))
            found |= {f"{task.output} {canonical(term)}": (task.output, term) for term in terms}
    for output, term in found.values():
        try:
            loss = fit_loss(plain_loss(term), term.target, table, split, term.where)
        except DataError as error:
            yield f"{term.key}: {error}"
            continue
        if isinstance(loss, CountedLoss):
            settings = "".join(f", {name} {spelled(value)}" for name, value in term.args.items())
            yield _classes(f"{term.key}({output}, {term.target}){settings}", loss)


def _classes(title: str, loss: CountedLoss) -> Grid:
    grid = Grid(title=f"Classes of {title}")
    for name in ("class", f"training {_WORDS[loss.counts]}", *loss.per_class):
        grid.add_column(name, justify="right")
    for label, size in enumerate(loss.known_sizes):
        values = (f"{numbers[label]:.4g}" for numbers in loss.per_class.values())
        grid.add_row(str(label), f"{size:,.6g}", *values)
    return grid


_WORDS = {"events": "events", "weights": "sum w", "effective": "effective events"}
