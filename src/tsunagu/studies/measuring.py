"""From a finished study to a measurement: scores, bins, templates, workspace, significance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tsunagu.analysis.binning import Rules, best_binning
from tsunagu.analysis.counts import Array, Counts, bin_numbers
from tsunagu.analysis.fitting import Expected, Fit, expected, fit
from tsunagu.analysis.importance import Importance
from tsunagu.analysis.significance import Quadrature, in_quadrature
from tsunagu.analysis.systematics import Effect, Ranked, Scored, effects, fill, rank, shift_of
from tsunagu.analysis.templates import Shift, Templates, protected, scaled_shift
from tsunagu.analysis.workspace import LUMINOSITY, make_workspace
from tsunagu.data import Table
from tsunagu.errors import DataError, Mistake, SpecError
from tsunagu.spec import Analysis, Study, Yields
from tsunagu.studies.checks import check_spec
from tsunagu.studies.chosen import chosen_trials
from tsunagu.studies.inputs import input_importance, input_variables
from tsunagu.studies.opening import open_study_table
from tsunagu.studies.scoring import (
    Part,
    Trained,
    check_against_stored,
    columns_for,
    load_trained,
    part_of,
    variations_of,
)

__all__ = ["Measurement", "Nominal", "measure_study"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Nominal:
    """The events as they are.

    Args:
        table: of all of them.
        trained: the chains, one for each fold.
        parts: for each chain its events by kind: train, validation and test.
        factors: ``[P]``, from the physics weight of a test event to the events that it stands for.
        edges: for each chain the edges ``[B + 1]`` of the score, from its validation events.
    """

    table: Table
    trained: Sequence[Trained]
    parts: Sequence[Mapping[str, Part]]
    factors: Array
    edges: Sequence[Array]


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
    importance: Sequence[Importance]


def measure_study(
    study: Study, out: Path | str, base: Path | str = ".", method: str | None = None
) -> Measurement:
    """Apply the chains of a finished study to nominal and varied events, and compute what would be measured.

    The edges of the score come from validation events, and test events fill the templates: with k folds varied every event is
    counted once, by a chain that has not seen it. With fewer, they are scaled to all events, process by process.

    Args:
        study: with ``analysis``, and ``systematics`` if there are any; these may be changed after the training.
        out: the folder of its results.
        base: the folder that relative file names start from.
        method: which of its methods; the best on the validation events by default.

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
    trained = load_trained(chosen_trials(study, Path(out), method))
    nominal = _nominal(study, base, study.analysis, trained)
    events = _scored(nominal, [parts["test"] for parts in nominal.parts])
    templates, varied = _templates(study, base, nominal, events)
    workspace = make_workspace(templates, luminosity=study.analysis.luminosity)
    found = fit(workspace, impacts=[*templates.shifts, LUMINOSITY])
    names, bins = templates.processes, templates.bins
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
        importance=input_importance(trained[0], nominal.table, nominal.parts[0]["test"], study.analysis),
        **input_variables(study, nominal.table, nominal.factors),
        effects=[e for name, ends in varied.items() for e in effects(name, events, ends, names, bins)],
    )


def _nominal(study: Study, base: Path, analysis: Analysis, trained: Sequence[Trained]) -> Nominal:
    # Chains of other folds have the same events; a method may vary the data otherwise.
    table = open_study_table(trained[0].trial.study, base, more=columns_for(study))
    parts = [
        {kind: part_of(t, table, kind, analysis) for kind in ("train", "validation", "test")} for t in trained
    ]
    for each, own in zip(trained, parts, strict=True):
        check_against_stored(each, table, own["test"], analysis)
    tested = [own["test"] for own in parts]
    sums = [_sums(table, analysis), _yields(tested, analysis)]
    for name, all_events, test in zip(analysis.processes, *sums, strict=True):
        if min(all_events, test) <= 0:
            msg = f"{', '.join(table.files)}: process {name}: the weights sum to {all_events:g}, of test events to {test:g}; both must be positive"
            raise DataError(msg)
    scales = np.array([process.scale for process in analysis.processes.values()])
    factors = scales * sums[0] / sums[1]
    return Nominal(
        table=table,
        trained=trained,
        parts=parts,
        factors=factors,
        edges=_edges(parts, analysis, scales * sums[0]),
    )


def _sums(table: Table, analysis: Analysis) -> Array:
    """The weights of all events by process."""
    found = np.zeros(len(analysis.processes))
    for place, process in enumerate(analysis.processes.values()):
        values = table.columns[process.column].reshape(len(table), -1)[:, 0]
        found[place] = float(table.weight[values == process.value].sum())
    return found


def _yields(parts: Sequence[Part], analysis: Analysis) -> Array:
    sums = [[part.weight[part.process == p].sum() for p in range(len(analysis.processes))] for part in parts]
    return np.asarray(np.sum(sums, axis=0))


def _edges(parts: Sequence[Mapping[str, Part]], analysis: Analysis, expected_events: Array) -> list[Array]:
    """The best edges by the validation events of each chain, all with the same number of bins."""
    rules = Rules(**analysis.binning.model_dump())
    samples = [_validation(own["validation"], analysis, expected_events) for own in parts]
    number = min(best_binning(*sample, rules).bins for sample in samples)
    return [_from_0_to_1(best_binning(*sample, rules, bins=number).edges) for sample in samples]


def _validation(
    part: Part, analysis: Analysis, expected_events: Array
) -> tuple[Array, NDArray[np.bool_], Array]:
    known = part.process >= 0
    sums = _yields([part], analysis)
    signals = np.array([process.signal for process in analysis.processes.values()])
    place = part.process[known]
    factors = expected_events / np.where(sums > 0, sums, np.inf)
    return part.score[known], signals[place], part.weight[known] * factors[place]


def _from_0_to_1(edges: Array) -> Array:
    return np.concatenate([[0.0], edges[1:-1], [1.0]])


def _scored(nominal: Nominal, parts: Sequence[Part]) -> Scored:
    """The test events of all chains, with the bins of each chain and the events that they stand for."""
    known = [part.process >= 0 for part in parts]
    process = np.concatenate([part.process[own] for part, own in zip(parts, known, strict=True)])
    weight = np.concatenate([part.weight[own] for part, own in zip(parts, known, strict=True)])
    bins = [
        bin_numbers(part.score[own], edges)
        for part, own, edges in zip(parts, known, nominal.edges, strict=True)
    ]
    return Scored(
        score=np.concatenate([part.score[own] for part, own in zip(parts, known, strict=True)]),
        weight=weight * nominal.factors[process],
        process=process,
        bin=np.concatenate(bins),
    )


def _templates(
    study: Study, base: Path, nominal: Nominal, events: Scored
) -> tuple[Templates, dict[str, dict[str, Scored]]]:
    analysis, bins = study.analysis, len(nominal.edges[0]) - 1
    assert analysis is not None
    names = tuple(analysis.processes)
    counts = fill(events, len(names), bins)
    # With a chain for each fold the edges differ, and what is common is the number of the bin.
    own = len(nominal.edges) == 1
    made = Templates(
        edges=nominal.edges[0] if own else np.arange(bins + 1.0),
        processes=names,
        signals=tuple(name for name, process in analysis.processes.items() if process.signal),
        nominal=counts,
        axis=analysis.score if own else f"{analysis.score}_bin",
    )
    shifts: dict[str, Shift] = {}
    varied: dict[str, dict[str, Scored]] = {}
    for name, each in study.systematics.items():
        concerned = None if each.processes is None else [names.index(p) for p in each.processes]
        if isinstance(each, Yields):
            shifts[name] = scaled_shift(counts, *each.factors, concerned)
            continue
        found = _varied(base, nominal, name)
        varied[name] = {end: _as_concerned(scored, events, concerned) for end, scored in found.items()}
        filled = {end: fill(scored, len(names), bins) for end, scored in found.items()}
        shifts[name] = _shift(counts, filled, concerned)
    return protected(replace(made, shifts=shifts)), varied


def _shift(nominal: Counts, filled: Mapping[str, Counts], concerned: Sequence[int] | None) -> Shift:
    if "up" not in filled:
        msg = "systematics: up is needed"
        raise DataError(msg)
    return shift_of(nominal, filled["up"], filled.get("down"), concerned)


def _varied(base: Path, nominal: Nominal, name: str) -> dict[str, Scored]:
    study = nominal.trained[0].trial.study
    assert study.analysis is not None
    found: dict[str, Scored] = {}
    for end, variation in variations_of(study, base, name).items():
        table = nominal.table if variation.open is None else variation.open()
        parts = [part_of(each, table, "test", study.analysis, variation) for each in nominal.trained]
        found[end] = _scored(nominal, parts)
    return found


def _as_concerned(varied: Scored, nominal: Scored, concerned: Sequence[int] | None) -> Scored:
    """The varied events of the processes that vary, and the nominal ones of the others."""
    if concerned is None:
        return varied
    ours, others = np.isin(varied.process, concerned), ~np.isin(nominal.process, concerned)
    joined = {
        name: np.concatenate([getattr(varied, name)[ours], getattr(nominal, name)[others]])
        for name in ("score", "weight", "process", "bin")
    }
    return Scored(**joined)
