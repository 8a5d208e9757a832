"""What a trial was, and what came of it: two frozen values."""

from __future__ import annotations

import importlib
import inspect
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from torch import nn

from tsunagu.data import Table
from tsunagu.losses import SUM
from tsunagu.spec import (
    Architecture,
    Condition,
    Folds,
    LossTerm,
    Node,
    Pipeline,
    Schedule,
    Value,
    digest,
    to_data,
    walk,
)
from tsunagu.trials.path_scan import PathScan
from tsunagu.trials.scan import Chosen, Objective, Scan, choose

__all__ = ["NUMERICS", "Result", "Trial", "circumstances"]

NUMERICS = 4
"""Raised whenever equal inputs may give other numbers than the version before; it is part of every digest."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The inputs of one training, complete: the same trial gives the same result.

    To the last bit it does so with the same versions, processor and number of threads, which ``environment.json``
    notes: sums are added in another order elsewhere.

    Args:
        pipeline: without choices; of a search with those that are left to it.
        folds: which fold is the test fold, which the validation fold.
        seed: of weights, order and noise.
        architecture: the decisions that made the pipeline, for the record; not part of the digest.
        search: the searcher under which a supernet of the pipeline is trained; without, the pipeline is.
        begin: the digest of a search; the weights that its chosen path has in the supernet are the first ones here.
        at: the values of the conditions at which the paths of a supernet are compared, as for :meth:`Result.module`.
    """

    pipeline: Pipeline
    folds: Folds
    seed: int
    architecture: Architecture = field(default_factory=lambda: Architecture({}))
    search: Node | None = None
    begin: str | None = None
    at: Mapping[str, Any] = field(default_factory=dict)

    def digest(self, table: Table) -> str:
        """The trial's name: sha256 of pipeline, table, seed, folds, search, the user's own source files, ``NUMERICS``.

        How often the state is stored does not count, since it changes nothing of the result.
        """
        data: dict[str, Value] = {
            "pipeline": digest(_named_by(self.pipeline)),
            "seed": self.seed,
        }
        # Only where they are there: other trials keep their names.
        own: dict[str, Value] = {"search": self.search, "begin": self.begin, "at": dict(self.at) or None}
        data |= {name: value for name, value in own.items() if value is not None}
        return digest(data | circumstances(self.pipeline, self.folds, table))


@dataclass(frozen=True, kw_only=True)
class Result:
    """The outcome of a finished trial.

    Args:
        digest: the trial's name.
        seed: the trial's seed.
        metrics: with the split in the name, such as ``test_auc``.
        seconds: time of the training, interruptions not counted; of a group that was trained in step its share.
        cpu_seconds: the same of the processor, all threads of the process together; NaN where it is not known.
        architecture: option by label.
        parameters: trainable parameters by task.
        epochs: epochs run, and the best one, by stage.
        path: the folder with weights, history and predictions.
    """

    digest: str
    seed: int
    metrics: Mapping[str, float]
    seconds: float
    cpu_seconds: float
    architecture: Mapping[str, str]
    parameters: Mapping[str, int]
    epochs: Mapping[str, tuple[int, int]]
    path: Path

    def module(self, **conditions: Any) -> nn.Module:
        """The trained models as an ordinary module in evaluation mode: columns by name in, outputs by name out.

        Args:
            conditions: the working point: a number by condition, or for a simplex a number by part; the middle of the trained
                range where nothing is said. They are constants of the module, which does not take them any more.

        Raises:
            ResumeError: a file of the trial is missing or damaged.
            SpecError: there is no such condition.
        """
        made: nn.Module = later().module_at(self, conditions)
        return made

    def scan(
        self, table: Table | None = None, *, split: str = "test", points: int | None = None, **conditions: Any
    ) -> Scan:
        """Predictions and metrics at many values of the conditions, in one pass; stored beside the trial.

        Args:
            table: the events of the trial, where the values are not those that are stored (``points`` and no conditions, or
                those that were asked for before).
            split: ``validation`` or ``test``.
            points: of each condition, from one end of its range to the other.
            conditions: values by condition, ``one_minus_beta=[1e-5, 1e-3]``; all combinations where there are several.

        Raises:
            SpecError: there is no such condition, or none at all.
            ResumeError: the values are not stored and there is no table, or a file is damaged.
            DataError: another table.
        """
        scans: dict[str, Scan] = later().scans_at(self, table, points, conditions)
        return scans[split]

    def choose(
        self,
        objective: Objective,
        table: Table | None = None,
        *,
        points: int | None = None,
        **conditions: Any,
    ) -> Chosen:
        """The values of the conditions that are best on validation events, and what they come to on test events.

        Args:
            objective: a metric such as ``efficiency(logits, is_tau, class=1)``, or a function of arrays by name to be maximised.
            table: as for :meth:`scan`, as the others.
            points: of each condition.
            conditions: values to choose from.

        Raises:
            SpecError: no such metric or condition.
        """
        scans = later().scans_at(self, table, points, conditions)
        return choose(objective, scans["validation"], scans["test"])

    def paths(self) -> PathScan:
        """Of a search with conditions: what each path of the supernet is worth at each value, on the validation events.

        Raises:
            ResumeError: the trial is no search, or one without conditions; or the file is damaged.
        """
        scan: PathScan = later().path_scan(self)
        return scan

    def dumps(self) -> str:
        """As JSON, without the folder: a result can be moved."""
        fields = asdict(self)
        del fields["path"]
        return json.dumps(fields, indent=2) + "\n"

    @staticmethod
    def loads(text: str, path: Path) -> Result:
        """The result that :meth:`dumps` wrote in the folder ``path``."""
        fields = {"cpu_seconds": math.nan} | json.loads(text)  # earlier versions did not look
        fields["epochs"] = {stage: tuple(pair) for stage, pair in fields["epochs"].items()}
        return Result(**fields, path=path)


def circumstances(models: Value, folds: Folds, table: Table) -> dict[str, Value]:
    """What a training depends on beside its settings and its seed.

    Args:
        models: a value whose nodes are the models.
        folds: which events are which.
        table: the events.
    """
    found: dict[str, Value] = {
        # That the study goes on to other folds changes nothing of this training.
        "folds": digest({"k": folds.k, "test": folds.test, "validation": folds.validation}),
        "table": table.fingerprint,
        "sources": _sources(models),
        "numerics": NUMERICS,
    }
    # Batches of a mapped table come in another order.
    return found | {"order": table.order} if table.is_mapped else found


def _named_by(pipeline: Pipeline) -> Value:
    """The settings of a pipeline that its trials are named by."""
    made: Any = to_data(pipeline)
    made["train"]["checkpoint_seconds"] = 0.0
    # What was no setting once: trials that do not use it keep their names.
    if made["train"]["aggregate"] == {"key": SUM}:
        del made["train"]["aggregate"]
    return cast("Value", made)


def _sources(models: Value) -> dict[str, str]:
    named = (value for _, value in walk(models) if isinstance(value, Node | Condition | Schedule | LossTerm))
    keys = {value.key for value in named if ":" in value.key}
    return {key: digest(Path(_source_file(key)).read_text(encoding="utf-8")) for key in sorted(keys)}


def later() -> ModuleType:
    """What a result's own methods need, and what needs results itself."""
    return importlib.import_module("tsunagu.trials.working_point")


def _source_file(key: str) -> str:
    return inspect.getfile(importlib.import_module(key.partition(":")[0]))
