"""The training engine: stages, steps, early stopping, and a state that can be stored after any step."""

from tsunagu.train.conditioning import Drawn, Turn, dealt
from tsunagu.train.devices import choose_device, describe_device
from tsunagu.train.distributed import World, here, joined, launched
from tsunagu.train.evaluation import (
    CHUNK,
    Evaluation,
    Points,
    columns_of,
    evaluate,
    measure,
    predict,
    reseed_for_evaluation,
    working_points,
)
from tsunagu.train.fused import Steps
from tsunagu.train.groups import Member
from tsunagu.train.meter import Meter
from tsunagu.train.optimizer import (
    check_optimizer,
    check_schedule,
    clip,
    learning_rate,
    optimizer,
    placed,
)
from tsunagu.train.population import Population
from tsunagu.train.position import Epoch, Position
from tsunagu.train.probe import probe
from tsunagu.train.process import for_small_steps
from tsunagu.train.scanning import scan
from tsunagu.train.sharing import Finished, Stages, stage_inputs, stage_key
from tsunagu.train.stacked import Rows
from tsunagu.train.stepper import Stepper
from tsunagu.train.training import Training

__all__ = [
    "CHUNK",
    "Drawn",
    "Epoch",
    "Evaluation",
    "Finished",
    "Member",
    "Meter",
    "Points",
    "Population",
    "Position",
    "Rows",
    "Stages",
    "Stepper",
    "Steps",
    "Training",
    "Turn",
    "World",
    "check_optimizer",
    "check_schedule",
    "choose_device",
    "clip",
    "columns_of",
    "dealt",
    "describe_device",
    "evaluate",
    "for_small_steps",
    "here",
    "joined",
    "launched",
    "learning_rate",
    "measure",
    "optimizer",
    "placed",
    "predict",
    "probe",
    "reseed_for_evaluation",
    "scan",
    "stage_inputs",
    "stage_key",
    "working_points",
]


def __dir__() -> list[str]:
    return __all__
