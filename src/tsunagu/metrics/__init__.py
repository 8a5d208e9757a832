"""Metrics: numbers about predictions, with signed event weights.

A metric is a function of prediction, target and weight; :func:`parse_metric` finds it by its name in an
expression such as ``auc(score, is_higgs)``. The arguments are names of outputs or of columns, so that a plain
variable can be judged like a trained score.

Weights may be negative, as those of generators beyond leading order are. All sums are signed, and each
function tells what it does where few events leave a sum outside its range. Nothing is dropped.
"""

from tsunagu.metrics.call import Metric, MetricCall, find_metric, known_metrics, parse_metric
from tsunagu.metrics.classification import RocCurve, accuracy, auc, roc_curve
from tsunagu.metrics.quantile import weighted_quantile
from tsunagu.metrics.ranking import kendall_tau
from tsunagu.metrics.regression import bias, mae, mse, resolution

__all__ = [
    "Metric",
    "MetricCall",
    "RocCurve",
    "accuracy",
    "auc",
    "bias",
    "find_metric",
    "kendall_tau",
    "known_metrics",
    "mae",
    "mse",
    "parse_metric",
    "resolution",
    "roc_curve",
    "weighted_quantile",
]
