"""Which folds each stage of a training has seen, counted in the events that it was given; kept beside its result.

A proof that no event is scored by a model that has seen it can be made from these files alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import final

import numpy as np
from torch import Tensor

from tsunagu.data import Split, fold_of
from tsunagu.errors import ResumeError
from tsunagu.files import write_bytes
from tsunagu.spec import Folds

__all__ = ["SEEN", "Seen", "StageSeen", "as_declared", "read_seen", "seen_by", "write_seen"]

SEEN = "seen.json"
Counts = Mapping[int, int]
"""Events by fold."""


@final
@dataclass(frozen=True, kw_only=True)
class StageSeen:
    """What one stage has seen.

    Args:
        stage: its name, such as ``pretrain calibrate``.
        train: the events that moved weights, by fold.
        validation: the events that early stopping and choices looked at, by fold.
    """

    stage: str
    train: Counts
    validation: Counts


@final
@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a training has seen, and what it was tested on.

    Args:
        k: number of folds.
        test: the events that were scored at the end, by fold.
        stages: in their order.
        begin: the digest of the search whose weights were the first ones, if there is one: what that has seen counts too.
    """

    k: int
    test: Counts
    stages: Sequence[StageSeen]
    begin: str | None = None

    def folds(self) -> dict[str, set[int]]:
        """For each stage the folds that it has seen, in training or in validation.

        >>> stage = StageSeen(stage="joint", train={2: 9, 3: 8}, validation={1: 9})
        >>> Seen(k=4, test={0: 8}, stages=[stage]).folds()
        {'joint': {1, 2, 3}}
        """
        return {each.stage: {*each.train, *each.validation} for each in self.stages}


def seen_by(
    k: int, stages: Sequence[str], split: Split, event_number: Tensor, begin: str | None = None
) -> Seen:
    """What stages that are trained on a split see.

    Args:
        k: number of folds.
        stages: their names.
        split: the rows.
        event_number: ``[E]`` int64, of all rows.
        begin: as in :class:`Seen`.

    >>> import torch
    >>> split = Split(train=torch.tensor([3, 4]), validation=torch.tensor([6]), test=torch.tensor([0, 1]))
    >>> seen_by(5, ["joint"], split, torch.arange(10)).stages
    [StageSeen(stage='joint', train={3: 2}, validation={2: 1})]
    """
    counts = {kind: _counts(event_number[rows], k) for kind, rows in split.parts().items()}
    found = [StageSeen(stage=n, train=counts["train"], validation=counts["validation"]) for n in stages]
    return Seen(k=k, test=counts["test"], stages=found, begin=begin)


def as_declared(folds: Folds, stages: Sequence[str]) -> Seen:
    """What a training sees by its folds; for a result of an earlier version, which has not noted it."""
    train = dict.fromkeys(set(range(folds.k)) - {folds.test, folds.validation}, 0)
    found = [StageSeen(stage=name, train=train, validation={folds.validation: 0}) for name in stages]
    return Seen(k=folds.k, test={folds.test: 0}, stages=found)


def write_seen(folder: Path, seen: Seen) -> None:
    """Write it into a trial's folder."""
    write_bytes(folder / SEEN, (json.dumps(asdict(seen), indent=2) + "\n").encode())


def read_seen(folder: Path) -> Seen | None:
    """What a trial's folder says, or None where it was written by an earlier version.

    Raises:
        ResumeError: the file is damaged.
    """
    path = folder / SEEN
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        stages = [_stage(**each) for each in data["stages"]]
        return Seen(k=int(data["k"]), test=_whole(data["test"]), stages=stages, begin=data["begin"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        msg = f"{path}: cannot be read ({error}); remove the folder to run the trial again"
        raise ResumeError(msg) from error


def _stage(stage: str, train: Mapping[str, int], validation: Mapping[str, int]) -> StageSeen:
    return StageSeen(stage=stage, train=_whole(train), validation=_whole(validation))


def _whole(counts: Mapping[str, int]) -> dict[int, int]:
    return {int(fold): int(events) for fold, events in counts.items()}


def _counts(event_number: Tensor, k: int) -> dict[int, int]:
    folds, counts = np.unique(fold_of(event_number.numpy(), k), return_counts=True)
    return dict(zip(folds.tolist(), counts.tolist(), strict=True))
