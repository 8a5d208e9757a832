"""What a detector measures less well than it did: energies with a resolution, tracks that are not found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from tsunagu.data.augment.augmentation import (
    Augmentation,
    image_problem,
    probability_problem,
    register_augmentation,
)
from tsunagu.data.augment.draws import EventDraws

__all__ = ["DropTracks", "SmearEnergy"]

_CHANNELS = -3


@register_augmentation("smear_energy")
@final
@dataclass(frozen=True)
class SmearEnergy(Augmentation):
    """Each pixel times a normal number of mean 1 and width ``stochastic / sqrt(pixel) (+) constant``; never below 0.

    It comes on top of the resolution that the events have.

    Args:
        image: column ``[E, C, rows, columns]`` or ``[E, J, C, rows, columns]`` in GeV.
        stochastic: in sqrt(GeV).
        constant: a share.
        channels: that are smeared; by default those of the two calorimeters in (tracks, ECAL, HCAL).

    >>> smear = SmearEnergy(stochastic=0.0, constant=0.1, channels=[0])
    >>> smeared = smear({"jet_image": torch.full((1, 1, 2, 2), 10.0)}, EventDraws(torch.tensor([1]), torch.tensor(0)))
    >>> bool(((smeared["jet_image"] - 10.0).abs() < 6.0).all())
    True
    """

    image: str = "jet_image"
    stochastic: float = 0.1
    constant: float = 0.02
    channels: Sequence[int] = (1, 2)

    def __post_init__(self) -> None:
        if min(self.stochastic, self.constant) < 0.0:
            msg = (
                f"a resolution is 0 or more, found stochastic {self.stochastic} and constant {self.constant}"
            )
            raise ValueError(msg)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.image,)

    def __call__(self, batch: Mapping[str, Tensor], draws: EventDraws) -> dict[str, Tensor]:
        if self.image not in batch:
            return {}
        image = batch[self.image].clone()
        chosen = torch.tensor(list(self.channels), device=image.device)
        part = image.index_select(_CHANNELS, chosen)
        # pixel * width = sqrt(stochastic^2 pixel + constant^2 pixel^2)
        width = (self.stochastic**2 * part.clamp(min=0.0) + (self.constant * part).square()).sqrt()
        smeared = (part + width * draws.normal(part.shape[1:])).clamp(min=0.0)
        # What noise subtraction left below 0 stays.
        image.index_copy_(_CHANNELS, chosen, torch.where(part > 0.0, smeared, part))
        return {self.image: image}

    def check(self, columns: Mapping[str, Tensor]) -> str | None:
        return image_problem(columns, self.image) or _no_channel(columns, self.image, self.channels)


@register_augmentation("drop_tracks")
@final
@dataclass(frozen=True)
class DropTracks(Augmentation):
    """Pixels of the track channel set to 0 with a probability: tracks that are not found.

    Args:
        image: column ``[E, C, rows, columns]`` or ``[E, J, C, rows, columns]``.
        probability: of each pixel, which is a track in most jets.
        channel: of the tracks.

    >>> dropped = DropTracks(probability=1.0)({"jet_image": torch.ones(1, 3, 2, 2)}, EventDraws(torch.tensor([1]), torch.tensor(0)))
    >>> dropped["jet_image"].sum((0, 2, 3)).tolist()
    [0.0, 4.0, 4.0]
    """

    image: str = "jet_image"
    probability: float = 0.05
    channel: int = 0

    def __post_init__(self) -> None:
        probability_problem(self.probability)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.image,)

    def __call__(self, batch: Mapping[str, Tensor], draws: EventDraws) -> dict[str, Tensor]:
        if self.image not in batch:
            return {}
        image = batch[self.image].clone()
        tracks = image.select(_CHANNELS, self.channel)
        tracks *= draws.uniform(tracks.shape[1:]) >= self.probability
        return {self.image: image}

    def check(self, columns: Mapping[str, Tensor]) -> str | None:
        return image_problem(columns, self.image) or _no_channel(columns, self.image, [self.channel])


def _no_channel(columns: Mapping[str, Tensor], name: str, channels: Sequence[int]) -> str | None:
    there = columns[name].shape[_CHANNELS]
    strange = [channel for channel in channels if not 0 <= channel < there]
    return f"column '{name}' has the channels 0 to {there - 1}, found {strange}" if strange else None
