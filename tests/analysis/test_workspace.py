"""Workspaces and fits: closed forms, pyhf's own functions, and pulls that cover the truth."""

from __future__ import annotations

import numpy as np
import pyhf
import pytest
from scipy.stats import norm

from tsunagu.analysis.counts import Counts
from tsunagu.analysis.expecting import expected, expected_limit, expected_significance
from tsunagu.analysis.extra import quiet_schemas
from tsunagu.analysis.fitting import fit
from tsunagu.analysis.model import Likelihood
from tsunagu.analysis.templates import Shift, Templates, protected, scaled_shift, to_hist, to_uhi
from tsunagu.analysis.workspace import make_workspace
from tsunagu.errors import DataError
from tsunagu.metrics import asimov_significance

SIGNAL, BACKGROUND = np.array([1.0, 3.0, 8.0]), np.array([400.0, 100.0, 40.0])


def templates_of(signal=SIGNAL, background=BACKGROUND, error=0.0, **shifts):
    sums = np.array([signal, background], dtype=float)
    variances = np.array([np.zeros(len(sums[0])), (error * sums[1]) ** 2])
    return Templates(
        edges=np.linspace(0.0, 1.0, len(sums[0]) + 1),
        processes=("higgs", "z"),
        signals=("higgs",),
        nominal=Counts(sums=sums, variances=variances),
        shifts=shifts,
    )


def shape(nominal, factors):
    """An uncertainty that multiplies the bins of the background by factors, or divides by them."""
    up, down = nominal.sums.copy(), nominal.sums.copy()
    up[1], down[1] = up[1] * factors, down[1] / factors
    return Shift(
        up=Counts(sums=up, variances=nominal.variances), down=Counts(sums=down, variances=nominal.variances)
    )


@pytest.fixture(scope="module")
def varied():
    plain = templates_of(error=0.02)
    shifts = {
        "tes": shape(plain.nominal, [0.98, 1.01, 1.08]),
        "xsec": scaled_shift(plain.nominal, 1.05, 0.95, [1]),
    }
    return templates_of(error=0.02, **shifts)


@pytest.mark.parametrize(("s", "b"), [(5.0, 3.0), (10.0, 100.0), (50.0, 20.0), (200.0, 1e4)])
@pytest.mark.parametrize("error", [0.0, 0.02, 0.1])
def test_one_bin_agrees_with_the_closed_form(s, b, error):
    made = make_workspace(templates_of([s], [b], error))
    ours = expected_significance(Likelihood(made))
    # The constraint of the closed form is Poisson and that of staterror Gaussian: equal for small errors.
    assert ours == pytest.approx(asimov_significance(s, b, error * b), rel=1e-2 if error < 0.1 else 5e-2)
    if error:
        background = made["channels"][0]["samples"][1]
        background["modifiers"] = [{"name": "auxiliary", "type": "shapesys", "data": [error * b]}]
        assert expected_significance(Likelihood(made)) == pytest.approx(
            asimov_significance(s, b, error * b), rel=1e-4
        )


@pytest.mark.parametrize(("s", "b"), [(5.0, 30.0), (10.0, 400.0)])
def test_the_limit_of_one_bin_agrees_with_the_closed_form(s, b):
    def cls(strength):
        root = np.sqrt(2 * (strength * s - b * np.log1p(strength * s / b)))
        return 2 * norm.sf(root)

    limit = expected_limit(Likelihood(make_workspace(templates_of([s], [b]))))[2]
    assert cls(limit) == pytest.approx(0.05, rel=1e-2)


def test_without_systematics_the_bins_add_up_in_quadrature(varied):
    found = expected(make_workspace(varied, luminosity=0.02))
    quadrature = np.sqrt((asimov_significance(SIGNAL, BACKGROUND) ** 2).sum())
    assert found.without_systematics == pytest.approx(quadrature, rel=1e-4)
    assert 0.5 * quadrature < found.significance < 0.99 * quadrature
    # For a signal that is small against its error both tell the same.
    assert 1 / found.error == pytest.approx(found.significance, rel=0.3)


def test_correlated_systematics_cost_more_than_bins_in_quadrature():
    """Why pyhf is the reference: in quadrature two bins measure a yield twice, though they share its uncertainty."""
    s, b = np.full(2, 10.0), np.full(2, 1000.0)
    plain = templates_of(s, b)
    made = make_workspace(templates_of(s, b, xsec=scaled_shift(plain.nominal, 1.05, 0.95, [1])))
    quadrature = np.sqrt((asimov_significance(s, b, 0.05 * b) ** 2).sum())
    whole = asimov_significance(s.sum(), b.sum(), 0.05 * b.sum())
    assert expected_significance(Likelihood(made)) == pytest.approx(whole, rel=1e-2)
    assert whole < 0.8 * quadrature


def test_limits_and_significance_are_those_of_pyhf(varied):
    likelihood = Likelihood(make_workspace(varied, luminosity=0.02))
    model = likelihood.model
    settings = (likelihood.nominal.tolist(), model.config.suggested_bounds(), model.config.suggested_fixed())
    q0 = pyhf.infer.test_statistics.q0(0.0, likelihood.expected(1.0), model, *settings)
    assert expected_significance(likelihood) == pytest.approx(np.sqrt(q0), rel=1e-4)
    limit = expected_limit(likelihood)
    told = pyhf.infer.hypotest(limit[2], likelihood.expected(0.0), model, return_expected_set=True)[1]
    assert told[2] == pytest.approx(0.05, rel=5e-3)
    assert list(limit) == sorted(limit)


def test_an_asimov_fit_has_no_pulls_and_the_largest_impact_first(varied):
    found = fit(make_workspace(varied, luminosity=0.02))
    assert found["mu"].value == pytest.approx(1.0, abs=1e-3)
    assert all(abs(each.pull) < 1e-2 for each in found.parameters[1:])
    assert all(0 < each.constraint < 1.001 for each in found.parameters[1:])
    assert [each.impact for each in found.parameters[1:]] == sorted(
        (each.impact for each in found.parameters[1:]), reverse=True
    )
    assert found.parameters[0].name == "mu"
    assert found["tes"].impact_up * found["tes"].impact_down < 0
    # To first order an impact is the covariance with the signal strength over the error.
    order = found.names.index("mu"), found.names.index("tes")
    linear = found.correlation[order] * found["mu"].error
    assert found["tes"].impact_up == pytest.approx(linear, rel=0.3)


def test_the_error_covers_the_truth():
    """Toys: the signal strength and the constrained parameter have standard normal pulls."""
    plain = templates_of([30.0, 60.0], [400.0, 100.0])
    made = make_workspace(templates_of([30.0, 60.0], [400.0, 100.0], tes=shape(plain.nominal, [1.1, 0.9])))
    likelihood, draw = Likelihood(made), np.random.default_rng(11)
    pulls = []
    for _ in range(60):
        theta = draw.normal()  # another universe has another tau energy scale, and measures it with its error
        truth = likelihood.nominal
        truth[likelihood.names.index("tes")] = theta
        events = draw.poisson(np.asarray(likelihood.model.expected_data(truth))[:2])
        found = fit(made, np.array([*events, theta + draw.normal()]), impacts=[])
        pulls.append(
            [(found["mu"].value - 1) / found["mu"].error, (found["tes"].value - theta) / found["tes"].error]
        )
    assert np.abs(np.mean(pulls, axis=0)).max() < 3.0 / np.sqrt(60)
    assert np.std(pulls, axis=0) == pytest.approx(1.0, abs=3.0 / np.sqrt(120))


def test_a_workspace_is_what_the_schema_wants(varied):
    made = make_workspace(varied, luminosity=0.02)
    with quiet_schemas():
        pyhf.schema.validate(made, "workspace.json")
    kinds = {m["name"]: m["type"] for m in made["channels"][0]["samples"][1]["modifiers"]}
    assert kinds == {"lumi": "lumi", "tes": "histosys", "xsec": "normsys", "statistics": "staterror"}
    assert made["observations"][0]["data"] == (SIGNAL + BACKGROUND).tolist()


def test_yield_and_shape_together_are_the_variation(varied):
    """The split into normsys and histosys loses nothing: at one standard deviation the model is the varied template."""
    likelihood = Likelihood(make_workspace(varied))
    for sign, direction in ((1.0, "up"), (-1.0, "down")):
        moved = likelihood.nominal
        moved[likelihood.names.index("tes")] = sign
        told = np.asarray(likelihood.model.expected_data(moved))[:3]
        assert told == pytest.approx(varied.shifts["tes"].of(direction).sums.sum(0))


def test_signals_have_their_own_statistical_errors_where_they_matter():
    plain = templates_of(error=0.02)
    noisy = Counts(
        sums=plain.nominal.sums, variances=plain.nominal.variances + np.array([[0.0, 0, 4], [0, 0, 0]])
    )
    made = make_workspace(
        Templates(edges=plain.edges, processes=plain.processes, signals=plain.signals, nominal=noisy)
    )
    errors = {m["name"]: m["data"] for m in made["channels"][0]["samples"][0]["modifiers"]}
    assert errors["statistics_signal"] == [0.0, 0.0, 2.0]
    # Without a signal there is nothing of it to be uncertain about, so a discovery does not care, but the strength does.
    assert fit(made, impacts=[])["mu"].error > 1.02 * fit(make_workspace(plain), impacts=[])["mu"].error


def test_empty_bins_are_never_exported_in_silence():
    with pytest.raises(DataError, match=r"bin 2 of 3 \(score 0.3333 to 0.6667\) has 0 background events"):
        make_workspace(templates_of(background=[10.0, 0.0, 5.0]))
    repaired = protected(templates_of(signal=[-1.0, 3.0, 8.0]))
    assert (repaired.nominal.sums > 0).all()
    assert repaired.notes == ("higgs, nominal, bin 1: -1 events, set to 0.003333",)
    with pytest.raises(DataError, match="higgs, nominal: the weights sum to -4"):
        make_workspace(templates_of(signal=[-5.0, 0.5, 0.5]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"luminosity": 2.0}, "the luminosity must be 0 to 1, found 2.0"),
        ({"data": [1.0]}, "3 numbers of observed events"),
        ({"data": [1.0, -1.0, 2.0]}, "0 or more, expected; found"),
    ],
)
def test_mistakes(settings, message):
    with pytest.raises(DataError, match=message):
        make_workspace(templates_of(), **settings)


def test_names_that_mean_something_else_are_refused():
    with pytest.raises(DataError, match="may not be called 'mu'"):
        make_workspace(templates_of(mu=scaled_shift(templates_of().nominal, 1.1, 0.9)))


def test_histograms_have_axes_values_and_variances(varied):
    made = to_hist(varied)
    assert [axis.name for axis in made.axes] == ["process", "variation", "score"]
    assert made["z", "tes_up", :].values() == pytest.approx(varied.shifts["tes"].up.sums[1])
    assert made["z", "nominal", :].variances() == pytest.approx((0.02 * BACKGROUND) ** 2)
    assert '"uhi_schema"' in to_uhi(varied)


def test_another_backend_of_the_user_is_given_back(varied):
    likelihood = Likelihood(make_workspace(varied))
    pyhf.set_backend("numpy", pyhf.optimize.scipy_optimizer(), precision="32b")
    try:
        value = expected_significance(likelihood)
        assert pyhf.get_backend()[0].precision == "32b"
    finally:
        pyhf.set_backend("numpy")
    assert value == pytest.approx(expected_significance(likelihood), rel=1e-6)
