"""From a network's score to a measurement: binning, significance, templates, fits, systematics, simulation against data.

Pure functions of arrays; ``E`` events, ``P`` processes, ``B`` bins. Fits and histograms need ``pip install 'tsunagu[analysis]'``.
"""

from tsunagu.analysis.binning import (
    Binning,
    best_binning,
    cross_fitted_binning,
    greedy_binning,
    number_in_folds,
)
from tsunagu.analysis.closure import Closure, closure
from tsunagu.analysis.comparison import (
    Reweighting,
    TwoSample,
    compare_variables,
    reweight,
    two_sample_test,
)
from tsunagu.analysis.counts import Counts, bin_numbers, count_bins
from tsunagu.analysis.distances import chi_square
from tsunagu.analysis.expecting import Expected, expected, expected_limit, expected_significance
from tsunagu.analysis.fine import Rules
from tsunagu.analysis.fitting import Fit, Parameter, fit
from tsunagu.analysis.importance import Importance, correlations, permutation_importance
from tsunagu.analysis.model import Likelihood
from tsunagu.analysis.sample import Sample
from tsunagu.analysis.significance import Quadrature, Scan, combined, in_quadrature, scan_cuts
from tsunagu.analysis.systematics import Effect, Ranked, Scored, effects, fill, rank, shift_of
from tsunagu.analysis.templates import Shift, Templates, protected, scaled_shift, to_hist, to_uhi
from tsunagu.analysis.workspace import make_workspace

__all__ = [
    "Binning",
    "Closure",
    "Counts",
    "Effect",
    "Expected",
    "Fit",
    "Importance",
    "Likelihood",
    "Parameter",
    "Quadrature",
    "Ranked",
    "Reweighting",
    "Rules",
    "Sample",
    "Scan",
    "Scored",
    "Shift",
    "Templates",
    "TwoSample",
    "best_binning",
    "bin_numbers",
    "chi_square",
    "closure",
    "combined",
    "compare_variables",
    "correlations",
    "count_bins",
    "cross_fitted_binning",
    "effects",
    "expected",
    "expected_limit",
    "expected_significance",
    "fill",
    "fit",
    "greedy_binning",
    "in_quadrature",
    "make_workspace",
    "number_in_folds",
    "permutation_importance",
    "protected",
    "rank",
    "reweight",
    "scaled_shift",
    "scan_cuts",
    "shift_of",
    "to_hist",
    "to_uhi",
    "two_sample_test",
]


def __dir__() -> list[str]:
    return __all__
