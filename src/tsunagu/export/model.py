"""An exported chain that is used: every event by the model of its fold, or by the mean of all models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from tsunagu.data import fold_of
from tsunagu.errors import DataError
from tsunagu.export.events import Needs
from tsunagu.export.manifest import Input, Manifest
from tsunagu.export.onnx import Session
from tsunagu.export.units import mean_of

__all__ = ["ONNX", "Mode", "Model"]

Array = NDArray[Any]
Mode = Literal["own", "mean", "modulo"]
"""By the model of the event's own fold, by the mean of the models of all folds, or by that of the number modulo k."""
ONNX = "model.onnx"
MEAN = -1
"""The test fold of a score that several models have made."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """The models of an export.

    Args:
        manifest: what they are.
        sessions: by test fold.
    """

    manifest: Manifest
    sessions: Mapping[int, Session]

    @staticmethod
    def load(folder: Path) -> Model:
        """Load an export.

        Raises:
            ResumeError: a file is missing or damaged; the message names it.
        """
        manifest = Manifest.load(folder)
        found = {each.test: Session(folder / each.folder / ONNX) for each in manifest.members}
        return Model(manifest=manifest, sessions=found)

    @property
    def columns(self) -> list[Input]:
        """The inputs that are columns of events."""
        return [each for each in self.manifest.inputs if not each.is_condition]

    @property
    def conditions(self) -> list[Input]:
        """The inputs that are conditions."""
        return [each for each in self.manifest.inputs if each.is_condition]

    @property
    def needs(self) -> Needs:
        """What it reads of a file."""
        return Needs(
            names=[each.name for each in self.columns],
            declared=self.manifest.columns,
            missing=self.manifest.missing,
            event_number=self.manifest.event_number,
            select=self.manifest.select,
        )

    def score(
        self, columns: Mapping[str, Array], number: Array | None, mode: Mode = "own"
    ) -> tuple[dict[str, Array], Array]:
        """The outputs of some events, and the test fold of the model that made them.

        Args:
            columns: ``[E, ...]`` by name, of the inputs; conditions, which are one value for all events, are ``[1, ...]``.
            number: ``[E]`` event numbers; needed for the own fold where there are several models.
            mode: which model an event gets. A mean is one of the outputs as they are, of logits for a score; of angles it
                is that of their directions.

        Returns:
            Outputs ``[E, ...]`` by name, and ``[E]`` int64 with the fold, -1 for a mean. A single model scores all events.

        Raises:
            DataError: folds without an event number, or an event of a fold that has no model.
        """
        rows = max(len(column) for column in columns.values())
        open_ = {each.name for each in self.conditions}
        columns = {
            n: np.broadcast_to(c, (rows, *c.shape[1:])) if n in open_ and len(c) == 1 else c
            for n, c in columns.items()
        }
        if len(self.sessions) == 1:
            ((fold, session),) = self.sessions.items()
            return session.run(columns), np.full(rows, fold, dtype=np.int64)
        if mode == "mean":
            made = [session.run(columns) for session in self.sessions.values()]
            angles = {output.name: output.angles for output in self.manifest.outputs}
            mean = {n: mean_of(np.stack([each[n] for each in made]), angles[n]) for n in made[0]}
            return mean, np.full(rows, MEAN, dtype=np.int64)
        return self._own(columns, number, mode)

    def _own(
        self, columns: Mapping[str, Array], number: Array | None, mode: Mode
    ) -> tuple[dict[str, Array], Array]:
        if number is None:
            msg = "each event is scored by the model of its fold, which needs its event number; or take the mean of all models"
            raise DataError(msg)
        k = self.manifest.k
        folds = number % k if mode == "modulo" else fold_of(number, k)
        if lacking := sorted(set(folds.tolist()) - set(self.sessions)):
            msg = f"no model for fold {lacking[0]} of {self.manifest.k}; export a study with `folds: {{rotate: true}}`"
            raise DataError(msg)
        found: dict[str, Array] = {}
        for fold, session in self.sessions.items():
            (own,) = np.nonzero(folds == fold)
            if len(own) == 0 and found:
                continue
            for name, value in session.run({n: c[own] for n, c in columns.items()}).items():
                found.setdefault(name, np.empty((len(folds), *value.shape[1:]), value.dtype))[own] = value
        return found, folds
