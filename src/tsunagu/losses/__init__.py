"""Losses: each a function of prediction and target that gives one number per event.

Losses stay per event until :func:`weighted_mean`, the one place where event weights multiply and events are summed:

>>> import torch
>>> loss = find_loss("binary")()
>>> per_event = loss(torch.tensor([0.0, 0.0]), torch.tensor([0, 1]))
>>> round(weighted_mean(per_event, torch.tensor([1.0, 2.0])).item(), 4)
0.6931
>>> loss.check(torch.tensor([0, 1, 2]))
'labels must be 0 or 1, found 2 in 1 of 3 events'
"""

from tsunagu.losses.affinity import AffinityMargin
from tsunagu.losses.aggregate import (
    SUM,
    Aggregator,
    Combined,
    GradNorm,
    LooksBack,
    Mgda,
    Moment,
    Seen,
    State,
    Sum,
    find_aggregator,
    known_aggregators,
    make_aggregator,
    min_norm,
    register_aggregator,
)
from tsunagu.losses.balanced import ClassBalanced, ClassBalancedBinary, ClassBalancedFocal, InverseFrequency
from tsunagu.losses.classes import CountedLoss
from tsunagu.losses.counts import class_balanced_weights, class_sizes, effective_number
from tsunagu.losses.distributions import (
    Distribution,
    find_distribution,
    known_distributions,
    make,
    register_distribution,
)
from tsunagu.losses.focal import BinaryFocal, Focal, focal_logits, focal_probability
from tsunagu.losses.labels import Binary, CrossEntropy
from tsunagu.losses.loss import (
    BatchLoss,
    ChangesWithTime,
    ClassLoss,
    FitsEvents,
    HasProbability,
    Loss,
    align,
    event_mean,
    find_loss,
    known_losses,
    register_loss,
    weighted_mean,
)
from tsunagu.losses.margins import BalancedSoftmax, Ldam, LogitAdjusted
from tsunagu.losses.momentum import FourMomentum, FourMomentumPtEtaPhi
from tsunagu.losses.parameters import Number, given, wide
from tsunagu.losses.regression import Huber, MeanSquared, check_finite
from tsunagu.losses.scalarise import (
    SCALARISATIONS,
    boundary_intersection,
    cosine_penalised,
    linear,
    smooth_tchebycheff,
)
from tsunagu.losses.schedules import Curve, find_curve, known_curves, register_curve
from tsunagu.losses.significance import SoftSignificance
from tsunagu.losses.simplex import Dirichlet, Simplex

__all__ = [
    "SCALARISATIONS",
    "SUM",
    "AffinityMargin",
    "Aggregator",
    "BalancedSoftmax",
    "BatchLoss",
    "Binary",
    "BinaryFocal",
    "ChangesWithTime",
    "ClassBalanced",
    "ClassBalancedBinary",
    "ClassBalancedFocal",
    "ClassLoss",
    "Combined",
    "CountedLoss",
    "CrossEntropy",
    "Curve",
    "Dirichlet",
    "Distribution",
    "FitsEvents",
    "Focal",
    "FourMomentum",
    "FourMomentumPtEtaPhi",
    "GradNorm",
    "HasProbability",
    "Huber",
    "InverseFrequency",
    "Ldam",
    "LogitAdjusted",
    "LooksBack",
    "Loss",
    "MeanSquared",
    "Mgda",
    "Moment",
    "Number",
    "Seen",
    "Simplex",
    "SoftSignificance",
    "State",
    "Sum",
    "align",
    "boundary_intersection",
    "check_finite",
    "class_balanced_weights",
    "class_sizes",
    "cosine_penalised",
    "effective_number",
    "event_mean",
    "find_aggregator",
    "find_curve",
    "find_distribution",
    "find_loss",
    "focal_logits",
    "focal_probability",
    "given",
    "known_aggregators",
    "known_curves",
    "known_distributions",
    "known_losses",
    "linear",
    "make",
    "make_aggregator",
    "min_norm",
    "register_aggregator",
    "register_curve",
    "register_distribution",
    "register_loss",
    "smooth_tchebycheff",
    "weighted_mean",
    "wide",
]


def __dir__() -> list[str]:
    return __all__
