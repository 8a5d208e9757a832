"""Proofs that no event is scored by a model that has seen it: of trainings, and of scores that are read as columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from tsunagu.data import Table, fold_of
from tsunagu.data.listing import listed
from tsunagu.spec import Folds
from tsunagu.trials import Seen, as_declared, read_seen

__all__ = ["SCORED_BY", "column_leaks", "rotation_leaks", "seen_of", "training_leaks"]

SCORED_BY = "_test_fold"
"""Behind the name of a score: the column with the test fold of the model that made it, -1 for a mean of models."""
Find = Callable[[str], Seen]
"""What a search has seen, by its digest."""


def training_leaks(name: str, seen: Seen, find: Find | None = None) -> list[str]:
    """The stages of a training that have seen a fold which it was tested on, each with the folds.

    Args:
        name: of the training, for the message.
        seen: what it says.
        find: gives what the search has seen that its first weights come from.

    >>> from tsunagu.trials import StageSeen
    >>> stages = [StageSeen(stage="pretrain calibrate", train={0: 7, 2: 9}, validation={1: 8})]
    >>> training_leaks("a", Seen(k=3, test={0: 7}, stages=stages))
    ['a: pretrain calibrate has seen fold 0, which is its test fold']
    """
    lines = [
        f"{name}: {stage} has seen fold {fold}, which is its test fold"
        for stage, folds in seen.folds().items()
        for fold in sorted(folds & set(seen.test))
    ]
    if seen.begin is None or find is None:
        return lines
    before = find(seen.begin)
    if before.k != seen.k:
        return [
            *lines,
            f"{name}: begins with weights of {seen.begin}, which has {before.k} folds, not {seen.k}",
        ]
    stages = {f"{stage} of {seen.begin}": folds for stage, folds in before.folds().items()}
    return lines + [
        f"{name}: {stage}, where its first weights come from, has seen fold {fold}, which is its test fold"
        for stage, folds in stages.items()
        for fold in sorted(folds & set(seen.test))
    ]


def rotation_leaks(trainings: Mapping[str, Seen], find: Find | None = None) -> list[str]:
    """What keeps trainings from scoring every event exactly once, by a model that has not seen it.

    Args:
        trainings: one for each fold, by name; their tasks, stages and first weights all count.
        find: as for :func:`training_leaks`.

    >>> def of(fold: int) -> Seen:
    ...     return as_declared(Folds(k=3, test=fold, validation=(fold + 1) % 3), ["joint"])
    >>> rotation_leaks({"a": of(0), "b": of(1), "c": of(2)})
    []
    >>> rotation_leaks({"a": of(0), "b": of(1), "c": of(1)})
    ['fold 1 is the test fold of 2 trainings: b, c', 'fold 2 is the test fold of no training']
    """
    numbers = {seen.k for seen in trainings.values()}
    if len(numbers) != 1:
        return [f"trainings with {' and '.join(map(str, sorted(numbers)))} folds are not one rotation"]
    lines = [line for name, seen in trainings.items() for line in training_leaks(name, seen, find)]
    tested = Counter(fold for seen in trainings.values() for fold in seen.test)
    for fold in range(next(iter(numbers))):
        own = [name for name, seen in trainings.items() if fold in seen.test]
        if tested[fold] != 1:
            many = f"{tested[fold]} trainings: {', '.join(own)}" if own else "no training"
            lines.append(f"fold {fold} is the test fold of {many}")
    return lines


def column_leaks(table: Table, k: int) -> list[str]:
    """Columns that are scores of earlier trainings, where an event has the score of a model that may have seen it.

    A score ``x`` that ``tsunagu apply`` has written comes with the column ``x_test_fold``. A task that learns from scores of
    events which the earlier model was trained on learns from something better than it will ever be given.

    Args:
        table: with both columns.
        k: number of folds of the study; the earlier training must have had the same.
    """
    lines = []
    for name, values in table.columns.items():
        if not name.endswith(SCORED_BY):
            continue
        wrong = int((values.numpy() != fold_of(table.event_number.numpy(), k)).sum())
        if wrong:
            lines.append(
                f"{listed(table.files)}: column '{name.removesuffix(SCORED_BY)}': {wrong:,} of {len(table):,} events "
                f"have the score of a model that may have been trained on them (by '{name}', with k = {k}); write it "
                f"with a model of every fold of the same k: `folds: {{k: {k}, rotate: true}}`, `tsunagu export`, "
                "`tsunagu apply`"
            )
    return lines


def seen_of(folder: Path, folds: Folds, stages: list[str]) -> Seen:
    """What a trial has seen; by its folds where an earlier version has not noted it."""
    return read_seen(folder) or as_declared(folds, stages)
