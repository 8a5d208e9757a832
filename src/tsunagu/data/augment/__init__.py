"""Augmentation: events of a training that are changed on the fly, otherwise in each epoch, never in evaluation.

All is vectorised over a batch, and random numbers are a hash of (seed, epoch, event number): they are the same whatever else is
in the batch, and in every number of processes that share it.
"""

from tsunagu.data.augment.augmentation import (
    Augmentation,
    find_augmentation,
    known_augmentations,
    register_augmentation,
)
from tsunagu.data.augment.draws import EventDraws
from tsunagu.data.augment.energies import DropTracks, SmearEnergy
from tsunagu.data.augment.images import Rotate, Shift
from tsunagu.data.augment.mixup import Mixup
from tsunagu.data.augment.reflections import FlipEta, FlipPhi
from tsunagu.data.augment.systematic import Systematic

__all__ = [
    "Augmentation",
    "DropTracks",
    "EventDraws",
    "FlipEta",
    "FlipPhi",
    "Mixup",
    "Rotate",
    "Shift",
    "SmearEnergy",
    "Systematic",
    "find_augmentation",
    "known_augmentations",
    "register_augmentation",
]


def __dir__() -> list[str]:
    return __all__
