"""What ``tsunagu analyse`` and ``tsunagu compare`` print."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from tsunagu.analysis.workspace import STRENGTH
from tsunagu.studies import Comparison, Measurement

__all__ = ["describe_comparison", "describe_measurement"]


def describe_measurement(measured: Measurement) -> Iterator[Table | str]:
    """Yields, significance and the ranking of systematic uncertainties."""
    templates, found, plain = measured.templates, measured.expected, measured.quadrature
    sums = zip(templates.processes, templates.nominal.sums.sum(1), strict=True)
    yields = ", ".join(f"{name} {events:.4g}" for name, events in sums)
    yield f"{measured.name}, {measured.method}: expected events in {templates.bins} bins of the score: {yields}"
    table = Table(title="Expected significance", title_justify="left")
    table.add_column("with")
    table.add_column("Z", justify="right")
    for label, value in (
        ("a background that is known, bins in quadrature", plain.known),
        ("statistical errors of the simulation, bins in quadrature", plain.statistics),
        ("all uncertainties, bins in quadrature, no correlations", plain.all_errors),
        ("all uncertainties, correlated as they are (pyhf): the reference", found.significance),
    ):
        table.add_row(label, f"{value:.3f}")
    yield table
    yield f"signal strength 1 +- {found.error:.3g}; without a signal, mu < {found.limit:.3g} at 95 % CLs expected ({found.band[1]:.3g} to {found.band[3]:.3g})"
    if measured.ranking:
        yield _ranking(measured)
    if measured.fit_to_data is not None:
        strength = measured.fit_to_data[STRENGTH]
        yield f"fit to data: signal strength {strength.value:.3g} +- {strength.error:.3g}"
    yield from templates.notes


def _ranking(measured: Measurement) -> Table:
    table = Table(title="Systematic uncertainties", title_justify="left", caption="one standard deviation, after the fit to expected events")  # fmt: skip
    table.add_column("name")
    for name in ("impact up", "impact down", "error after fit", "Z if known"):
        table.add_column(name, justify="right")
    for each in measured.ranking:
        numbers = (each.impact_up, each.impact_down, each.constraint, each.significance_without)
        table.add_row(each.name, *(f"{number:.3f}" for number in numbers))
    return table


def describe_comparison(compared: Comparison) -> Iterator[Table | str]:
    """The tests before and after the reweighting, and what it costs."""
    found, tests = compared.reweighting, compared.closure
    ratio = compared.observed / compared.expected
    yield f"{compared.name}: {compared.observed:,} events observed, {compared.expected:,.1f} expected (ratio {ratio:.3f}); shapes are compared"
    table = Table(title="Simulation against data", title_justify="left", caption="p: the probability of a larger difference if both are alike")  # fmt: skip
    table.add_column("")
    for name in ("before", "p", "reweighted", "p"):
        table.add_column(name, justify="right")
    both = (tests.before, tests.after)
    cells = [
        cell for each in both for cell in (f"AUC {each.auc:.3f} ± {each.error:.3f}", f"{each.p_value:.2g}")
    ]
    table.add_row("classifier", *cells)
    for name, (chi, ks) in tests.variables_before.items():
        pair = ((chi, ks), tests.variables_after[name])
        cells = [c for x, _ in pair for c in (f"{x.value:.1f} / {x.degrees}", f"{x.p_value:.2g}")]
        table.add_row(f"{name}, chi2", *cells)
        cells = [c for _, y in pair for c in (f"{y.distance:.3f}", f"{y.probability:.2g}")]
        table.add_row(f"{name}, KS", *cells)
    yield table
    yield f"factors: up to {found.largest:.2f}, {100 * found.clipped:.1f} % clipped; effective simulated events {found.effective_before:,.0f} -> {found.effective_after:,.0f}; {100 * found.uncovered:.1f} % of the data not covered"
    yield from compared.notes
