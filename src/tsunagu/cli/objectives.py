"""What ``tsunagu plan`` prints of aggregators: which losses are combined, and which weights follow what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table as Grid

from tsunagu.losses import Aggregator
from tsunagu.spec import Pipeline, architectures, canonical, resolve
from tsunagu.tasks import Reach, Stage, Term, aggregator_of, build_graph, reach, stages

__all__ = ["describe_objectives"]

COSTS = {
    "losses": "one backward pass",
    "features": "one backward pass, cut at the shared features",
    "gradients": "a backward pass a loss through the shared tasks",
    "jacobian": "a backward pass a loss through the shared tasks",
}


def describe_objectives(varied: Sequence[Pipeline]) -> Iterator[Grid]:
    """A table for each aggregator that a study has: stage, loss, and the tasks that follow it alone or with others.

    Args:
        varied: the variations of a study.
    """
    told = set()
    for pipeline in varied:
        plain = resolve(pipeline, next(iter(architectures(pipeline))))
        combined = [
            (stage, made) for stage in stages(plain) if (made := aggregator_of(plain, stage)) is not None
        ]
        name = canonical([plain.train.aggregate, [stage.name for stage, _ in combined]])
        if combined and name not in told:
            told.add(name)
            yield _grid(plain, combined)


def _grid(pipeline: Pipeline, combined: Sequence[tuple[Stage, Aggregator]]) -> Grid:
    node = pipeline.train.aggregate
    settings = ", ".join(f"{name}={value}" for name, value in dict(node.args).items())
    grid = Grid(title=f"Losses combined by {node.key}({settings})")
    for name in ("stage", "loss", "shared weights, of", "weights of its own, of"):
        grid.add_column(name)
    sizes = {
        name: sum(p.numel() for p in model.parameters() if p.requires_grad)
        for name, model in build_graph(pipeline, seed=0).models.items()
    }
    for stage, aggregator in combined:
        found = reach(pipeline, stage)
        for number, term in enumerate(stage.terms):
            grid.add_row("" if number else stage.name, *_row(term, number, found, aggregator, sizes))
    grid.caption = COSTS[combined[0][1].reads]
    return grid


def _row(
    term: Term, number: int, found: Reach, aggregator: Aggregator, sizes: dict[str, int]
) -> tuple[str, str, str]:
    loss = f"{term.weight:g} ({term.output}, {term.target})"
    if aggregator.reads == "losses":
        return loss, "the loss itself is weighed", "-"
    return loss, _with_sizes(found.shared, sizes), _with_sizes(found.own[number], sizes)


def _with_sizes(tasks: Sequence[str], sizes: dict[str, int]) -> str:
    return ", ".join(f"{task} ({sizes[task]:,})" for task in tasks) or "-"
