"""The training engine: stages, steps, early stopping, and a state that can be stored after any step."""

from tsunagu.train.evaluate import Evaluation, evaluate, measure, predict
from tsunagu.train.flat import FlatModel
from tsunagu.train.optimizer import check_optimizer, check_schedule, learning_rate, optimizer
from tsunagu.train.position import Epoch, Position
from tsunagu.train.training import Training

__all__ = [
    "Epoch",
    "Evaluation",
    "FlatModel",
    "Position",
    "Training",
    "check_optimizer",
    "check_schedule",
    "evaluate",
    "learning_rate",
    "measure",
    "optimizer",
    "predict",
]


def __dir__() -> list[str]:
    return __all__
