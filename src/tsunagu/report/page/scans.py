"""What the sliders of a page move through: the scans of a study's methods, as histograms of every trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from tsunagu.errors import DataError
from tsunagu.metrics import MetricCall
from tsunagu.report.numbers import effective_entries
from tsunagu.report.outcome import Method, Outcome, Output
from tsunagu.report.page.bins import bin_scores
from tsunagu.report.page.encode import packed, rounded
from tsunagu.report.page.scan import Scan
from tsunagu.report.scores import classes, labelled_scores
from tsunagu.report.stored import Array, StoredTrial, Undrawable, each_drawable

__all__ = ["collect_scan", "method_scans", "plain_scan", "score_scans"]


def collect_scan(
    trial: StoredTrial, output: Output, metrics: Mapping[str, MetricCall] | None = None
) -> Scan | None:
    """The scan over the conditions of one trial, on the test events; None where it has no condition.

    Args:
        trial: with its files.
        output: a score.
        metrics: by their names in ``scan.csv``; they say which of them are no costs.

    Raises:
        Undrawable: the target was not stored.
        DataError: points that are no product grid, such as those of the weights of three losses.
    """
    name = f"test_{output.name}"
    if trial.scan is None or name not in trial.scan:
        return None
    target, weight = trial.predictions.take("test", output.target, "weight")
    rows = [row for row in trial.scan_rows if row["split"] == "test"]
    known = {short: call for short, call in (metrics or {}).items() if rows and short in rows[0]}
    return Scan(
        scores=_scores(trial.scan[name]),
        labels=_labels(target),
        weights=weight,
        conditions=_free(trial.scan),
        metrics={short: np.array([float(row[short]) for row in rows]) for short in known},
        larger_is_better=frozenset(short for short, call in known.items() if call.cost(1.0) < call.cost(0.0)),
    )


def _free(scanned: Mapping[str, Array]) -> dict[str, Array]:
    """The conditions that can be set: of the parts of a whole, such as the weights of losses, the last one follows."""
    found = {
        n.removeprefix("condition_"): array for n, array in scanned.items() if n.startswith("condition_")
    }
    last = {name.rpartition(".")[0]: name for name in found if "." in name}
    return {name: array for name, array in found.items() if name not in last.values()}


def plain_scan(trial: StoredTrial, output: Output) -> Scan:
    """The stored predictions of the test events as a scan of one point.

    Raises:
        Undrawable: a column is missing, a score is not finite, or all events are of one class.
        DataError: one of several classes has no event.
    """
    labelled_scores(trial, "test", output, 1)  # says in the words of the other figures what is wrong
    values, target, weight = trial.predictions.take("test", output.name, output.target, "weight")
    return Scan(scores=_scores(values[None]), labels=_labels(target), weights=weight)


def _scores(values: Array) -> Array:
    """``[K, E]`` of two classes, else ``[K, E, C]``, from ``[K, E, ...]``."""
    scores = values.reshape(*values.shape[:2], -1)
    if scores.shape[2] > 2:
        return scores
    return scores[..., 0] if scores.shape[2] == 1 else np.asarray(scores[..., 1] - scores[..., 0])


def _labels(target: Array) -> Array:
    return np.asarray(np.rint(target.reshape(len(target), -1)[:, 0]))


def score_scans(outcome: Outcome) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """For every output that is a score what the page draws of it, and what is left out."""
    parts: list[dict[str, Any]] = []
    left_out: list[str] = []
    for output in outcome.outputs:
        if not output.classifies:
            continue
        try:
            part, absent = _of_output(outcome, output)
            parts.append(part)
            left_out += absent
        except Undrawable as reason:
            left_out.append(str(reason))
    return parts, tuple(f"sliders: {reason}" for reason in left_out)


def _of_output(outcome: Outcome, output: Output) -> tuple[dict[str, Any], tuple[str, ...]]:
    trained, absent = outcome.supervised(output)
    signals = classes(outcome, output)
    methods, more = each_drawable(partial(_of_method, outcome, output, signals), trained)
    part = {"output": output.name, "target": output.target, "signals": signals, "methods": methods}
    return part, absent + more


def _of_method(outcome: Outcome, output: Output, signals: Sequence[int], method: Method) -> dict[str, Any]:
    scans = {_place(trial): _scan(trial, output, outcome.metrics) for trial in method.trials}
    return method_scans(method.name, scans, signals)


def _scan(trial: StoredTrial, output: Output, metrics: Mapping[str, MetricCall]) -> Scan:
    try:
        return collect_scan(trial, output, metrics) or plain_scan(trial, output)
    except DataError as error:
        msg = f"{output.name} of {trial.place}: {error}"
        raise Undrawable(msg) from error


def _place(trial: StoredTrial) -> str:
    return ", ".join([f"seed {trial.seed}", *([trial.fold] if trial.fold else [])])


def method_scans(name: str, scans: Mapping[str, Scan], signals: Sequence[int]) -> dict[str, Any]:
    """What a page embeds of one method: pure, from the scans of its trials to JSON.

    Args:
        name: of the method.
        scans: by place, such as ``seed 1``; ``S`` of them, with equal conditions.
        signals: the classes that are drawn as signal.

    Returns:
        ``places``; ``axes``, the values of each condition; ``histograms`` by signal class, each of arrays
        ``[S, K, ...]`` in base64, with the points in the order of the axes' product; ``sums`` ``[S, C]`` of weights;
        ``confusion`` ``[S, K, C, C]``, the part of each class (row) that is taken for each class, for more than two;
        ``metrics``.

    Raises:
        Undrawable: the trials have unlike conditions.
    """
    every = list(scans.values())
    axes = every[0].axes
    if any(not _equal(axes, scan.axes) for scan in every):
        msg = f"method {name}: its trials were scanned at unlike values of the conditions"
        raise Undrawable(msg)
    return {
        "name": name,
        "places": list(scans),
        "axes": [{"name": label, "values": rounded(values, 9)} for label, values in axes.items()],
        "histograms": {str(signal): _histograms(every, signal) for signal in signals},
        "sums": rounded(
            [[scan.weights[scan.labels == c].sum() for c in range(scan.classes)] for scan in every]
        ),
        "confusion": rounded([_confusion(scan) for scan in every], 4) if every[0].classes > 2 else None,
        "metrics": _metrics(every),
    }


def _equal(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    return list(one) == list(other) and all(np.array_equal(one[name], other[name]) for name in one)


def _histograms(scans: Sequence[Scan], signal: int) -> dict[str, Any]:
    binned = [bin_scores(scan, signal) for scan in scans]
    background = [scan.weights[scan.labels != signal] for scan in scans]
    return {
        "span": packed([each.span for each in binned], "f4"),
        "steps": packed([each.steps for each in binned], "u2"),
        "shares": packed([each.shares for each in binned], "f2"),
        "entries": rounded([effective_entries(weight) for weight in background]),
    }


def _confusion(scan: Scan) -> Array:
    chosen = scan.scores[scan.order].argmax(axis=2)
    flat = chosen + scan.classes * scan.labels.astype(np.int64)
    tables = np.stack([np.bincount(row, scan.weights, scan.classes**2) for row in flat])
    tables = tables.reshape(-1, scan.classes, scan.classes)
    return np.asarray(tables / tables.sum(axis=2, keepdims=True))


def _metrics(scans: Sequence[Scan]) -> list[dict[str, Any]]:
    shared = [name for name in scans[0].metrics if all(name in scan.metrics for scan in scans)]
    return [
        {
            "name": name,
            "larger": name in scans[0].larger_is_better,
            "values": rounded([scan.metrics[name][scan.order] for scan in scans]),
        }
        for name in shared
    ]
