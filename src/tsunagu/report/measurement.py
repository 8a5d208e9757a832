"""The files and figures of a measurement."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from tsunagu.analysis.fitting import Fit
from tsunagu.analysis.templates import to_uhi
from tsunagu.files import write_bytes
from tsunagu.report.album import write_album
from tsunagu.report.checks import CAPTION, draw_correlations, draw_importance, draw_inputs, draw_overtraining
from tsunagu.report.pulls import draw_pulls
from tsunagu.report.ranking import draw_cuts, draw_ranking
from tsunagu.report.slugs import slugs_of
from tsunagu.report.style import Drawing
from tsunagu.report.templates import draw_observed, draw_systematic, draw_templates
from tsunagu.studies import Measurement

__all__ = ["write_measurement"]

Figures = dict[str, tuple[Callable[[], Drawing], str]]


def write_measurement(measured: Measurement, folder: Path) -> list[Path]:
    """Write ``workspace.json``, ``templates.json``, ``summary.json`` and all figures with their numbers.

    Raises:
        ResumeError: a file cannot be written.
        DataError: hist is not installed.
    """
    texts = {
        "workspace.json": json.dumps(measured.workspace, indent=2) + "\n",
        "templates.json": to_uhi(measured.templates) + "\n",
        "summary.json": json.dumps(_summary(measured), indent=2) + "\n",
    }
    for name, text in texts.items():
        write_bytes(folder / name, text.encode())
    return [*(folder / name for name in texts), *write_album(_figures(measured), folder)]


def _figures(measured: Measurement) -> Figures:
    found: Figures = {
        "templates": (
            partial(draw_templates, measured),
            "Expected events in the bins of the score, which were optimised on validation events, and the ratio of signal to background; the hatched band has all uncertainties in quadrature.",
        ),
        "ranking": (
            partial(draw_ranking, measured),
            "How far the fitted signal strength moves where an uncertainty is one standard deviation off, after the fit to expected events, and what each costs in significance.",
        ),
        "cuts": (
            partial(draw_cuts, measured),
            "Efficiencies, purity and Asimov significance of what is above a cut, with the statistical error of the background; where fewer than ten effective background events are left, none is told.",
        ),
        "overtraining": (partial(draw_overtraining, measured), CAPTION),
        "importance": (
            partial(draw_importance, measured),
            "What the area under the ROC curve loses where one input of one task is shuffled among the test events. What several inputs know together is counted for none of them.",
        ),
    }
    if measured.observed is not None:
        found["observed"] = (
            partial(draw_observed, measured),
            f"Data in the bins of the score over what is expected, each event by the chain of its fold. The signal is more than `analysis.blind` of the background in {int(measured.closed.sum())} bins, which are not looked at.",
        )
    if measured.fit_to_data is not None:
        found["pulls"] = (
            partial(draw_pulls, measured, measured.fit_to_data),
            "Where the fit to data moves each uncertainty, in units of its error before, and what error is left of it.",
        )
    if not measured.ranking:
        del found["ranking"]
    if measured.variables:
        found |= {
            "inputs": (
                partial(draw_inputs, measured),
                "Signal and background, each normalised to 1, with the physics weights.",
            ),
            "correlations": (
                partial(draw_correlations, measured),
                "Linear correlation coefficients, with the physics weights.",
            ),
        }
    return found | {
        f"systematic_{slug}": (
            partial(draw_systematic, measured, name),
            f"What one standard deviation of {name} makes of each template; the network is the nominal one.",
        )
        for slug, name in zip(
            slugs_of(list(measured.templates.shifts)), measured.templates.shifts, strict=True
        )
    }


def _summary(measured: Measurement) -> dict[str, object]:
    return {
        "name": measured.name,
        "method": measured.method,
        "trials": [each.trial.folder.name for each in measured.nominal.trained],
        "expected": asdict(measured.expected),
        "in_quadrature": asdict(measured.quadrature),
        "ranking": [asdict(each) for each in measured.ranking],
        "fit_to_data": [] if measured.fit_to_data is None else _parameters(measured.fit_to_data),
        "effects": [asdict(each) for each in measured.effects],
        "yields": dict(
            zip(measured.templates.processes, measured.templates.nominal.sums.sum(1).tolist(), strict=True)
        ),
        "notes": list(measured.templates.notes),
    }


def _parameters(found: Fit) -> list[dict[str, object]]:
    names = ("name", "value", "error", "pull", "constraint")
    return [{name: getattr(each, name) for name in names} for each in found.parameters]
