"""From a finished study to a measurement: scores, bins, templates, workspace, significance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tsunagu.analysis.counts import Array
from tsunagu.analysis.expecting import Expected, expected
from tsunagu.analysis.fitting import Fit, fit
from tsunagu.analysis.importance import Importance
from tsunagu.analysis.significance import Quadrature, in_quadrature
from tsunagu.analysis.systematics import Effect, Ranked, Scored, effects, rank
from tsunagu.analysis.templates import Templates
from tsunagu.analysis.workspace import LUMINOSITY, make_workspace
from tsunagu.errors import Mistake, SpecError
from tsunagu.spec import Analysis, Study
from tsunagu.studies.checks import check_spec
from tsunagu.studies.inputs import input_importance, input_variables
from tsunagu.studies.measured import chosen_trials
from tsunagu.studies.nominal import Nominal, nominal_events, together
from tsunagu.studies.observing import closed_bins, observed_counts
from tsunagu.studies.scoring import load_trained
from tsunagu.studies.varying import varied_templates

__all__ = ["Measurement", "measure_study"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Measurement:
    """What a study is expected to measure.

    Args:
        name: of the study.
        method: whose chains gave the scores.
        analysis: as declared.
        nominal: the events behind it.
        events: the test events of all chains together.
        varied: the same for each systematic uncertainty and direction.
        templates: by process and variation.
        workspace: for pyhf.
        expected: significance and limit with everything correlated as it is.
        quadrature: the closed forms.
        fit: to the expected events: impacts and constraints.
        ranking: of the systematic uncertainties.
        effects: on scores and yields.
        variables: single numbers ``[E]`` of all events of a process, by name: those that are named, or the inputs that are such.
        variable_signal: ``[E]``, whether these events are signal.
        variable_weight: ``[E]``, their weights.
        observed: ``[B]``, data in the bins of the score; None without data.
        closed: ``[B]``, the bins in which data are not looked at.
        fit_to_data: the same fit, to what was observed; None without data, and while a bin is closed.
        importance: of each input of each task, by the area under the ROC curve of the test events.
    """

    name: str
    method: str
    analysis: Analysis
    nominal: Nominal
    events: Scored
    varied: Mapping[str, Mapping[str, Scored]]
    templates: Templates
    workspace: dict[str, Any]
    expected: Expected
    quadrature: Quadrature
    fit: Fit
    ranking: Sequence[Ranked]
    effects: Sequence[Effect]
    variables: Mapping[str, Array]
    variable_signal: NDArray[np.bool_]
    variable_weight: Array
    observed: Array | None
    closed: NDArray[np.bool_]
    fit_to_data: Fit | None
    importance: Sequence[Importance]


def measure_study(
    study: Study,
    out: Path | str,
    base: Path | str = ".",
    method: str | None = None,
    seed: int | None = None,
) -> Measurement:
    """Apply the chains of a finished study to nominal and varied events, and compute what would be measured.

    The edges of the score come from validation events, and test events fill the templates: with k folds varied every event is
    counted once, by a chain that has not seen it. With fewer, they are scaled to all events, process by process.

    Args:
        study: with ``analysis``, and ``systematics`` if there are any; these may be changed after the training.
        out: the folder of its results.
        base: the folder that relative file names start from.
        method: which of its methods; the best on the validation events by default.
        seed: of the trainings; by default, for each fold, the best on its validation events.

    Raises:
        SpecError: the study has no analysis, or mistakes in it.
        DataError: events without a process's yield, other events than those of the training, bins without background,
            a fit that fails, pyhf is not installed.
        ResumeError: results are missing or damaged.
    """
    base = Path(base)
    if study.analysis is None:
        raise SpecError([Mistake(("analysis",), "is missing; it names the score and the processes")])
    if mistakes := check_spec(study, base):
        raise SpecError(mistakes)
    trained = load_trained(chosen_trials(study, Path(out), method, seed))
    nominal = nominal_events(study, base, trained)
    events = together(nominal, [parts["test"] for parts in nominal.parts])
    templates, varied = varied_templates(study, base, nominal, events)
    workspace = make_workspace(templates, luminosity=study.analysis.luminosity)
    found = fit(workspace, impacts=[*templates.shifts, LUMINOSITY])
    names, bins = templates.processes, templates.bins
    observed, closed = observed_counts(study, base, nominal), closed_bins(study.analysis, templates)
    open_ = observed is not None and not closed.any()
    return Measurement(
        name=study.name or Path(out).resolve().name,
        method=trained[0].trial.method,
        analysis=study.analysis,
        nominal=nominal,
        events=events,
        varied=varied,
        templates=templates,
        workspace=workspace,
        expected=expected(workspace),
        quadrature=in_quadrature(templates, study.analysis.luminosity),
        fit=found,
        ranking=rank(workspace, templates, found),
        observed=observed,
        closed=closed,
        fit_to_data=fit(workspace, observed, impacts=[]) if open_ else None,
        importance=input_importance(trained[0], nominal.table, nominal.parts[0]["test"], study),
        **input_variables(study, nominal.table, nominal.factors),
        effects=[e for name, ends in varied.items() for e in effects(name, events, ends, names, bins)],
    )
