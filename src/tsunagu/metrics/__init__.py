"""Metrics: numbers about predictions, with signed event weights.

A metric is a function of prediction, target and weight; :func:`parse_metric` finds it by its name in an
expression such as ``auc(score, is_higgs)``. The arguments are names of outputs or of columns, so that a plain
variable can be judged like a trained score.

Weights may be negative, as those of generators beyond leading order are. All sums are signed, and each
function tells what it does where few events leave a sum outside its range. Nothing is dropped.
"""

from tsunagu.metrics.asimov import asimov_significance
from tsunagu.metrics.call import MetricCall, parse_metric
from tsunagu.metrics.classes import (
    average_precision,
    balanced_accuracy,
    efficiency,
    purity,
    rejection,
)
from tsunagu.metrics.classification import RocCurve, accuracy, auc, roc_curve
from tsunagu.metrics.distances import KsTest, effective_events, ks, ks_test
from tsunagu.metrics.known import Metric, find_metric, known_metrics
from tsunagu.metrics.pareto import hypervolume, pareto_front
from tsunagu.metrics.posthoc import Isotonic, Temperature, adjust_logits, probabilities
from tsunagu.metrics.quantile import weighted_quantile
from tsunagu.metrics.ranking import kendall_tau
from tsunagu.metrics.regression import bias, mae, mse, resolution
from tsunagu.metrics.reliability import Reliability, reliability
from tsunagu.metrics.significance import ams, best_cut, significance
from tsunagu.metrics.working_point import WorkingPoint, class_odds, selected, working_point

__all__ = [
    "Isotonic",
    "KsTest",
    "Metric",
    "MetricCall",
    "Reliability",
    "RocCurve",
    "Temperature",
    "WorkingPoint",
    "accuracy",
    "adjust_logits",
    "ams",
    "asimov_significance",
    "auc",
    "average_precision",
    "balanced_accuracy",
    "best_cut",
    "bias",
    "class_odds",
    "effective_events",
    "efficiency",
    "find_metric",
    "hypervolume",
    "kendall_tau",
    "known_metrics",
    "ks",
    "ks_test",
    "mae",
    "mse",
    "pareto_front",
    "parse_metric",
    "probabilities",
    "purity",
    "rejection",
    "reliability",
    "resolution",
    "roc_curve",
    "selected",
    "significance",
    "weighted_quantile",
    "working_point",
]
