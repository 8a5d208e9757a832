"""What ``tsunagu plan`` says of searches: who asks, how often, and what it will cost."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table as Grid

from tsunagu.data import Table
from tsunagu.spec import Search, Study, variations
from tsunagu.studies import estimate
from tsunagu.studies.plan import method_labels

__all__ = ["describe_searches"]


def describe_searches(study: Study, table: Table) -> Iterator[Grid]:
    """A table of the methods that search; none where no method does."""
    grid = Grid("method", "searcher", "takes", "about", title="Searches, for each seed")
    seen: set[str] = set()
    for labels, varied in variations(study):
        method = " ".join(method_labels(labels).values()) or "chain"
        if varied.search is not None and method not in seen:
            seen.add(method)
            found = estimate(varied, table)
            about = f"{found.trainings:.3g} trainings"
            grid.add_row(method, _words(varied.search), f"{found.steps:,} {found.unit}", about)
    grid.caption = "as if all candidates cost the same; what is trained already costs nothing"
    if seen:
        yield grid


def _words(search: Search) -> str:
    settings = ", ".join(f"{name}: {value}" for name, value in dict(search.args).items())
    more = [settings] * bool(settings) + ["inherits weights"] * (search.start == "inherit")
    return "; ".join([search.key, *more])
