"""The templates of a measurement, and what systematic variations make of its events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tsunagu.analysis.counts import Array
from tsunagu.analysis.systematics import Scored, fill, shift_of
from tsunagu.analysis.templates import Shift, Templates, protected, scaled_shift
from tsunagu.spec import OtherFiles, Study, Yields, sample_processes
from tsunagu.studies.nominal import Nominal, together
from tsunagu.studies.scoring import part_of, variations_of

__all__ = ["varied_templates"]


def varied_templates(
    study: Study, base: Path, nominal: Nominal, events: Scored
) -> tuple[Templates, dict[str, dict[str, Scored]]]:
    """Templates, nominal and varied, and the varied events by systematic uncertainty and direction.

    Args:
        study: with its analysis and systematic uncertainties.
        base: the folder of the study file.
        nominal: the events as they are.
        events: of them the test events of all chains.

    Raises:
        DataError: bins or processes without events, files that cannot be read.
    """
    analysis, bins = study.analysis, len(nominal.edges[0]) - 1
    assert analysis is not None
    processes = sample_processes(study)
    names = tuple(processes)
    counts = fill(events, len(names), bins)
    # With a chain for each fold the edges differ, and what is common is the number of the bin.
    own = len(nominal.edges) == 1
    made = Templates(
        edges=nominal.edges[0] if own else np.arange(bins + 1.0),
        processes=names,
        signals=tuple(name for name, process in processes.items() if process.signal),
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
        found = _varied(study, base, nominal, name)
        if isinstance(each, OtherFiles) and each.keep_yields:
            found = {end: _same_yields(scored, counts.sums.sum(1)) for end, scored in found.items()}
        varied[name] = {end: _as_concerned(scored, events, concerned) for end, scored in found.items()}
        filled = {end: fill(scored, len(names), bins) for end, scored in found.items()}
        shifts[name] = shift_of(counts, filled["up"], filled.get("down"), concerned)
    return protected(replace(made, shifts=shifts)), varied


def _varied(study: Study, base: Path, nominal: Nominal, name: str) -> dict[str, Scored]:
    own = nominal.trained[0].trial.study  # its method may vary the data
    found: dict[str, Scored] = {}
    for end, variation in variations_of(own, base, name).items():
        table = nominal.table if variation.open is None else variation.open()
        parts = [part_of(each, table, "test", study, variation) for each in nominal.trained]
        found[end] = together(nominal, parts)
    return found


def _same_yields(varied: Scored, yields: Array) -> Scored:
    sums = np.bincount(varied.process, varied.weight, len(yields))
    factors = np.divide(yields, sums, out=np.ones_like(sums), where=sums > 0)
    return replace(varied, weight=varied.weight * factors[varied.process])


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
