"""What ``tsunagu plan`` says of the supernet of a pipeline: its size, its memory, and what its paths cost."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table as Grid

from tsunagu.data import Table
from tsunagu.errors import TsunaguError
from tsunagu.spec import Pipeline, choices
from tsunagu.tasks import Overview, describe_space

__all__ = ["describe_supernet"]


def describe_supernet(pipeline: Pipeline, table: Table) -> Iterator[Grid | str]:
    """Its tables; nothing where no choice is left in a model, and the reason where it cannot be built."""
    if not any(choices(task.model) for task in pipeline.tasks.values()):
        return
    try:
        space = describe_space(pipeline, table)
    except TsunaguError as error:
        yield f"No supernet: {error}"
        return
    yield _sizes(space)
    yield from (f"No supernet: {mistake}" for mistake in space.mistakes)
    if space.seconds:
        yield _costs(space)


def _sizes(space: Overview) -> Grid:
    grid = Grid("architectures", "parameters", "largest path", "memory", "available", "mixture")
    grid.title = "Supernet, all candidates of the models in one"
    memory, available = f"{space.bytes / 1e6:,.1f} MB", f"{space.available / 1e6:,.0f} MB"
    mixture = "\n".join(mistake.message for mistake in space.unmixed) or "possible"
    sizes = (f"{space.architectures:,}", f"{space.parameters:,}", f"{space.largest:,}")
    grid.add_row(*sizes, memory, available, mixture)
    grid.caption = "memory: weights, gradients and Adam's two moments"
    return grid


def _costs(space: Overview) -> Grid:
    labels = list(dict.fromkeys(label for path in space.seconds for label in path))
    grid = Grid(*labels, title="Cost of a step, forward and backward")
    grid.add_column("ms", justify="right")
    for path, seconds in space.seconds.items():
        grid.add_row(*(path.get(label, "-") for label in labels), f"{1e3 * seconds:.2f}")
    if not space.complete:
        grid.caption = "as many paths as it takes to see each option"
    return grid
