"""A study's table in words: how many events it rests on, what its numbers mean, and what the best method gains.

A gain is taken seed by seed: methods that were trained with one seed share events and their order, so the differences
are better known than the numbers.
"""

from __future__ import annotations

from pathlib import Path

from tsunagu.metrics import find_metric
from tsunagu.report.outcome import SEARCH, Method, Outcome
from tsunagu.report.reading import read_outcome
from tsunagu.studies.statistics import LEVEL, Comparison, compare

__all__ = ["caution", "explain", "gains", "notes"]


def explain(out: Path | str) -> list[str]:
    """Sentences to read below :func:`~tsunagu.report.results_table`.

    Args:
        out: a study's folder, with ``results.csv`` and ``summary.json``.

    Raises:
        ResumeError: a file is missing or damaged.
        DataError: a file does not hold what it should.
    """
    outcome = read_outcome(Path(out))
    return [*notes(outcome), *_gains(outcome), *_untrained(outcome)]


def notes(outcome: Outcome) -> list[str]:
    """How many events there are, what the metrics mean, and how the methods chose."""
    meanings = [f"{name}: {find_metric(call.name).meaning}" for name, call in outcome.metrics.items()]
    return [*_events(outcome), *meanings, *_chosen(outcome)]


def _events(outcome: Outcome) -> list[str]:
    parts = outcome.events
    if not parts:
        return []
    each = ", ".join(f"{number:,} for {part}" for part, number in parts.items())
    chosen = "nothing was trained or chosen on the test events, which the table shows"
    return [f"{sum(parts.values()):,} events ({each}): {chosen}"]


def _chosen(outcome: Outcome) -> list[str]:
    searched = [method for method in outcome.methods if method.tried > len(method.trials)]
    column = outcome.metric_column("validation") if searched else ""
    supernets = [_supernet(method) for method in outcome.methods if method.searches]
    return [
        f"{method.name}: for each seed the best of its architectures by {column}, {method.tried} trials"
        for method in searched
    ] + [*supernets, *outcome.unchosen]


def _supernet(method: Method) -> str:
    """What to know of a search before its choice is believed."""
    said = [f"{method.name}: for each seed one supernet chose, and its choice was trained"]
    sure = method.values(SEARCH + "confidence")
    if len(sure):
        said.append(f"least sure choice {sure.mean():.2f} on average ({sure.min():.2f} to {sure.max():.2f})")
    if method.kendall:
        taus = f"{min(method.kendall):.2f} to {max(method.kendall):.2f}"
        mean = sum(method.kendall) / len(method.kendall)
        said.append(f"its ranking against trainings alone: Kendall's tau {mean:.2f} on average ({taus})")
    return "; ".join(said)


def gains(outcome: Outcome) -> tuple[Method | None, list[tuple[Method, Comparison]]]:
    """The method that is best on the validation events, and what it gains on the others and on the best baseline.

    Returns:
        That method, and each rival with the comparison on the test events.
    """
    methods = outcome.ranked(outcome.shown, "validation")
    if not methods:
        return None, []
    best, *others = methods
    rivals = [*others, *outcome.ranked(outcome.baselines, "validation")[:1]]
    column = outcome.metric_column("test")
    return best, [
        (rival, compare(best.by_place(column), _places(rival, best, column), outcome.metric.cost))
        for rival in rivals
    ]


def _gains(outcome: Outcome) -> list[str]:
    best, found = gains(outcome)
    if best is None:
        return []
    column = outcome.metric_column("test")
    sentences = [f"{best.name} over {rival.name}: {_words(result, column, best)}" for rival, result in found]
    return (
        sentences if all(result.pairs < 2 for _, result in found) else [*sentences, f"[ ]: {caution(best)}"]
    )


def caution(best: Method) -> str:
    """What an interval of the differences to a method does not tell."""
    return _MEANING + (_FOLDS if any(trial.fold for trial in best.trials) else "")


_MEANING = (
    f"{100 * LEVEL:.0f} % interval of the mean difference, seed by seed; it tells how much the training varies, "
    "not how much other test events would change"
)

# Nadeau & Bengio, "Inference for the generalization error", Machine Learning 52 (2003) 239.
_FOLDS = ", and over folds it is too narrow, since they train on the same events in part"


def _places(rival: Method, best: Method, column: str) -> dict[tuple[str, str], float]:
    """The rival's numbers by seed and fold; a baseline has the same one for every seed."""
    values = rival.by_place(column)
    if rival.trials:
        return values
    return {place: values[("", place[1])] for place in best.by_place(column) if ("", place[1]) in values}


def _words(result: Comparison, column: str, best: Method) -> str:
    if result.differences is None:
        return f"no seed in common in {column}"
    interval = result.differences.interval
    ends = "" if interval is None else f" [{interval[0]:+.4f}, {interval[1]:+.4f}]"
    return f"{result.differences.mean:+.4f}{ends} in {column}, better in {result.better} of {result.pairs} {best.unit}"


def _untrained(outcome: Outcome) -> list[str]:
    found = {name for method in outcome.methods for name in method.untrained}
    return [f"\N{EN DASH}: no loss looks at {', '.join(sorted(found))} there"] if found else []
