"""Jets turned and moved in their windows: what a calorimeter's granularity and the choice of an axis leave open."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from tsunagu.data.augment.augmentation import Augmentation, image_problem, register_augmentation
from tsunagu.data.augment.draws import EventDraws

__all__ = ["Rotate", "Shift"]


@register_augmentation("rotate")
@final
@dataclass(frozen=True)
class Rotate(Augmentation):
    """Each jet turned about its own axis: by a quarter, a half, three quarters or not at all.

    A turn in (eta, phi) is a symmetry of a jet's shower but not of the detector: the magnetic field spreads charged particles in
    phi. Quarter turns move pixels and change no energy.

    Args:
        image: column ``[E, C, rows, columns]`` or ``[E, J, C, rows, columns]``.
        degrees: by any angle up to this one instead, to both sides; the energy of a pixel is shared among four, and what leaves
            the window is lost.

    >>> turned = Rotate()({"jet_image": torch.arange(4.0).view(1, 1, 2, 2)}, EventDraws(torch.tensor([1]), torch.tensor(0)))
    >>> sorted(turned["jet_image"].flatten().tolist())
    [0.0, 1.0, 2.0, 3.0]
    """

    image: str = "jet_image"
    degrees: float | None = None

    def __post_init__(self) -> None:
        if self.degrees is not None and not 0.0 < self.degrees <= 180.0:
            msg = f"degrees are from 0 to 180, found {self.degrees}"
            raise ValueError(msg)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.image,)

    def __call__(self, batch: Mapping[str, Tensor], draws: EventDraws) -> dict[str, Tensor]:
        if self.image not in batch:
            return {}
        maps, draw = _folded(batch[self.image], draws)
        turned = (
            _quarters(maps, draw)
            if self.degrees is None
            else _turned(maps, (2.0 * draw - 1.0) * self.degrees)
        )
        return {self.image: turned.view(batch[self.image].shape)}

    def check(self, columns: Mapping[str, Tensor]) -> str | None:
        return image_problem(columns, self.image, square=self.degrees is None)


@register_augmentation("shift")
@final
@dataclass(frozen=True)
class Shift(Augmentation):
    """Each jet moved in its window by whole pixels: how well its axis is known.

    What leaves the window is lost, and nothing comes in on the other side.

    Args:
        image: column ``[E, C, rows, columns]`` or ``[E, J, C, rows, columns]``.
        pixels: at most, in each direction.

    >>> moved = Shift()({"jet_image": torch.ones(1, 1, 4, 4)}, EventDraws(torch.tensor([1]), torch.tensor(0)))
    >>> moved["jet_image"].sum().item() in (16.0, 12.0, 9.0)
    True
    """

    image: str = "jet_image"
    pixels: int = 1

    def __post_init__(self) -> None:
        if self.pixels < 1:
            msg = f"a shift is by 1 pixel at least, found {self.pixels}"
            raise ValueError(msg)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.image,)

    def __call__(self, batch: Mapping[str, Tensor], draws: EventDraws) -> dict[str, Tensor]:
        if self.image not in batch:
            return {}
        image = batch[self.image]
        maps, rows = _folded(image, draws)
        columns = draws.of(1).uniform((1 if image.ndim == 4 else image.shape[1],)).flatten()
        for axis, draw in ((2, rows), (3, columns)):
            maps = _moved(maps, axis, (draw * (2 * self.pixels + 1)).long() - self.pixels)
        return {self.image: maps.view(image.shape)}

    def check(self, columns: Mapping[str, Tensor]) -> str | None:
        return image_problem(columns, self.image)


def _folded(image: Tensor, draws: EventDraws) -> tuple[Tensor, Tensor]:
    """The jets of all events ``[J, C, rows, columns]``, and a number for each ``[J]``."""
    jets = 1 if image.ndim == 4 else image.shape[1]
    return image.reshape(-1, *image.shape[-3:]), draws.uniform((jets,)).flatten()


def _quarters(maps: Tensor, draw: Tensor) -> Tensor:
    turns = (4.0 * draw).long().view(-1, 1, 1, 1)
    maps = torch.where(turns % 2 == 1, maps.transpose(2, 3), maps)
    maps = torch.where((turns == 1) | (turns == 2), maps.flip(2), maps)
    return torch.where(turns >= 2, maps.flip(3), maps)


def _turned(maps: Tensor, degrees: Tensor) -> Tensor:
    """The energy of each pixel goes to the four around the place where its middle comes to lie, so that none is lost inside."""
    rows, columns = maps.shape[2:]
    angle = (degrees * (math.pi / 180.0)).view(-1, 1, 1)
    up, right = (torch.arange(n, device=maps.device) - (n - 1) / 2 for n in (rows, columns))
    row = angle.cos() * up[:, None] - angle.sin() * right + (rows - 1) / 2
    column = angle.sin() * up[:, None] + angle.cos() * right + (columns - 1) / 2
    made, source = torch.zeros_like(maps).flatten(2), maps.flatten(2)
    for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
        to_row, to_column = row.floor() + a, column.floor() + b
        share = (1.0 - (row - to_row).abs()) * (1.0 - (column - to_column).abs())
        inside = (to_row >= 0) & (to_row < rows) & (to_column >= 0) & (to_column < columns)
        place = (to_row * columns + to_column).where(inside, 0.0).long().flatten(1)
        weight = share.where(inside, 0.0).flatten(1)
        made.scatter_add_(2, place.unsqueeze(1).expand(source.shape), source * weight.unsqueeze(1))
    return made.view(maps.shape)


def _moved(maps: Tensor, axis: int, by: Tensor) -> Tensor:
    size = maps.shape[axis]
    source = torch.arange(size, device=maps.device) - by.unsqueeze(1)
    inside = (source >= 0) & (source < size)
    shape = [len(maps), 1, 1, 1]
    shape[axis] = size
    taken = maps.gather(axis, source.clamp(0, size - 1).view(shape).expand(maps.shape))
    return taken * inside.view(shape)
