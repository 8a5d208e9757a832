"""A study's table in words: how many events it rests on, what its numbers mean, and what the best method gains."""

from __future__ import annotations

from pathlib import Path

from tsunagu.metrics import find_metric
from tsunagu.report.reading import Method, Outcome, read_outcome

__all__ = ["explain"]


def explain(out: Path | str) -> list[str]:
    """Sentences to read below :func:`~tsunagu.report.results_table`.

    Args:
        out: a study's folder, with ``results.csv`` and ``summary.json``.

    Raises:
        ResumeError: a file is missing or damaged.
        DataError: a file does not hold what it should.
    """
    outcome = read_outcome(Path(out))
    meanings = [f"{name}: {find_metric(call.name).meaning}" for name, call in outcome.metrics.items()]
    return [*_events(outcome), *meanings, *_gain(outcome), *_untrained(outcome)]


def _events(outcome: Outcome) -> list[str]:
    parts = outcome.events
    if not parts:
        return []
    each = ", ".join(f"{number:,} for {part}" for part, number in parts.items())
    chosen = "nothing was trained or chosen on the test events, which the table shows"
    return [f"{sum(parts.values()):,} events ({each}): {chosen}"]


def _gain(outcome: Outcome) -> list[str]:
    """What the method that is best on the validation events gains on the best baseline, on the test events."""
    if not outcome.methods or not outcome.baselines:
        return []
    best = outcome.ranked(outcome.methods, "validation")[0]
    baseline = outcome.ranked(outcome.baselines, "validation")[0]
    difference = _mean(best, outcome) - _mean(baseline, outcome)
    return [f"{best.name} over {baseline.name}: {difference:+.4f} in {outcome.metric_column('test')}"]


def _mean(method: Method, outcome: Outcome) -> float:
    return float(method.values(outcome.metric_column("test")).mean())


def _untrained(outcome: Outcome) -> list[str]:
    found = {name for method in outcome.methods for name in method.untrained}
    return [f"\N{EN DASH}: no loss looks at {', '.join(sorted(found))} there"] if found else []
