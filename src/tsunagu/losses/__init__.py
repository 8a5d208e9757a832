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
from tsunagu.losses.balanced import ClassBalanced, ClassBalancedBinary, ClassBalancedFocal, InverseFrequency
from tsunagu.losses.classes import CountedLoss
from tsunagu.losses.counts import class_balanced_weights, class_sizes, effective_number
from tsunagu.losses.focal import BinaryFocal, Focal, focal_logits, focal_probability
from tsunagu.losses.labels import Binary, CrossEntropy
from tsunagu.losses.loss import (
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
from tsunagu.losses.regression import Huber, MeanSquared, check_finite
from tsunagu.losses.significance import soft_significance

__all__ = [
    "AffinityMargin",
    "BalancedSoftmax",
    "Binary",
    "BinaryFocal",
    "ChangesWithTime",
    "ClassBalanced",
    "ClassBalancedBinary",
    "ClassBalancedFocal",
    "ClassLoss",
    "CountedLoss",
    "CrossEntropy",
    "FitsEvents",
    "Focal",
    "FourMomentum",
    "FourMomentumPtEtaPhi",
    "HasProbability",
    "Huber",
    "InverseFrequency",
    "Ldam",
    "LogitAdjusted",
    "Loss",
    "MeanSquared",
    "align",
    "check_finite",
    "class_balanced_weights",
    "class_sizes",
    "effective_number",
    "event_mean",
    "find_loss",
    "focal_logits",
    "focal_probability",
    "known_losses",
    "register_loss",
    "soft_significance",
    "weighted_mean",
]


def __dir__() -> list[str]:
    return __all__
