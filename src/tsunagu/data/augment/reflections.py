"""Reflections: of each jet's image about its own axis, or of the whole event.

Rows of an image are eta and columns are phi, both relative to the jet's axis, which lies between the two middle ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from tsunagu.data.augment.augmentation import (
    Augmentation,
    image_problem,
    names_of,
    probability_problem,
    register_augmentation,
)
from tsunagu.data.augment.draws import EventDraws

__all__ = ["FlipEta", "FlipPhi"]

_ROWS, _COLUMNS = -2, -1
_ETA, _PHI, _Y = 1, 2, 1
Names = str | Sequence[str]


@register_augmentation("flip_eta")
@final
@dataclass(frozen=True)
class FlipEta(Augmentation):
    """eta -> -eta, for half of the events or jets.

    With an image alone, each jet is reflected about its own axis. That leaves what stands in other columns as it is, also where
    in the jet the tau was: good for telling jets apart, not for calibrating directions. With other columns named, the whole event
    is reflected, all of its jets together; name all columns then that know the sign of eta, targets included.

    Args:
        image: column ``[E, C, rows, columns]`` or ``[E, J, C, rows, columns]``; None for no image.
        momenta: columns ``[E, ..., 3 or more]`` = (pt, eta, phi, ...).
        eta: columns that are an eta.
        probability: of a reflection.

    >>> flip = FlipEta(momenta="jet_p4", image=None, probability=1.0)
    >>> draws = EventDraws(torch.tensor([1]), torch.tensor(0))
    >>> flip({"jet_p4": torch.tensor([[50.0, 1.5, 3.0]])}, draws)
    {'jet_p4': tensor([[50.0000, -1.5000,  3.0000]])}
    """

    image: str | None = "jet_image"
    momenta: Names = ()
    eta: Names = ()
    probability: float = 0.5

    def __post_init__(self) -> None:
        probability_problem(self.probability)

    @property
    def columns(self) -> tuple[str, ...]:
        return (*names_of(self.image), *names_of(self.momenta), *names_of(self.eta))

    def __call__(self, batch: Mapping[str, Tensor], draws: EventDraws) -> dict[str, Tensor]:
        signs = dict.fromkeys(names_of(self.momenta), _ETA) | dict.fromkeys(names_of(self.eta))
        return _reflected(batch, draws, self.image, _ROWS, signs, self.probability)

    def check(self, columns: Mapping[str, Tensor]) -> str | None:
        return _unfit(columns, self.image, names_of(self.momenta), 3)


@register_augmentation("flip_phi")
@final
@dataclass(frozen=True)
class FlipPhi(Augmentation):
    """phi -> -phi, for half of the events or jets; as :class:`FlipEta` else.

    Args:
        image: column ``[E, C, rows, columns]`` or ``[E, J, C, rows, columns]``; None for no image.
        momenta: columns ``[E, ..., 3 or more]`` = (pt, eta, phi, ...).
        phi: columns that are a phi, or a y component of a momentum.
        met: columns ``[E, ..., 2]`` = (x, y).
        probability: of a reflection.

    >>> flip = FlipPhi(met="met", image=None, probability=1.0)
    >>> flip({"met": torch.tensor([[3.0, 4.0]])}, EventDraws(torch.tensor([1]), torch.tensor(0)))
    {'met': tensor([[ 3., -4.]])}
    """

    image: str | None = "jet_image"
    momenta: Names = ()
    phi: Names = ()
    met: Names = ()
    probability: float = 0.5

    def __post_init__(self) -> None:
        probability_problem(self.probability)

    @property
    def columns(self) -> tuple[str, ...]:
        return (*names_of(self.image), *names_of(self.momenta), *names_of(self.phi), *names_of(self.met))

    def __call__(self, batch: Mapping[str, Tensor], draws: EventDraws) -> dict[str, Tensor]:
        signs = dict.fromkeys(names_of(self.momenta), _PHI) | dict.fromkeys(names_of(self.phi))
        signs |= dict.fromkeys(names_of(self.met), _Y)
        return _reflected(batch, draws, self.image, _COLUMNS, signs, self.probability)

    def check(self, columns: Mapping[str, Tensor]) -> str | None:
        momenta = _unfit(columns, self.image, names_of(self.momenta), 3)
        return momenta or _unfit(columns, None, names_of(self.met), 2)


def _reflected(
    batch: Mapping[str, Tensor],
    draws: EventDraws,
    image: str | None,
    axis: int,
    signs: Mapping[str, int | None],
    probability: float,
) -> dict[str, Tensor]:
    """Images turned around on one axis, and a component (None: all) of other columns with the other sign."""
    pixels = batch.get(image) if image is not None else None
    jets = 1 if signs or pixels is None or pixels.ndim == 4 else pixels.shape[1]
    chosen = draws.uniform((jets,)) < probability
    found: dict[str, Tensor] = {}
    if image is not None and pixels is not None:
        own = chosen if pixels.ndim == 5 else chosen[:, 0]
        found[image] = torch.where(_wide(own, pixels.ndim), pixels.flip(axis), pixels)
    for name in signs.keys() & batch.keys():
        found[name] = _signed(batch[name], chosen[:, 0], signs[name])
    return found


def _signed(column: Tensor, chosen: Tensor, component: int | None) -> Tensor:
    factor = torch.ones_like(column)
    (factor if component is None else factor[..., component])[chosen] = -1
    return column * factor


def _wide(chosen: Tensor, axes: int) -> Tensor:
    return chosen.view(*chosen.shape, *[1] * (axes - chosen.ndim))


def _unfit(
    columns: Mapping[str, Tensor], image: str | None, momenta: Sequence[str], least: int
) -> str | None:
    if image is not None and (problem := image_problem(columns, image)):
        return problem
    for name in momenta:
        shape = columns[name].shape
        if len(shape) < 2 or shape[-1] < least:
            words = {2: "(x, y)", 3: "(pt, eta, phi, ...)"}[least]
            return f"column '{name}' is [{', '.join(['E', *map(str, shape[1:])])}], but {words} is expected on its last axis"
    return None
