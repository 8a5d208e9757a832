"""Events of a training as a systematic shift would have them, each by a size of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from tsunagu.data.augment.augmentation import register_augmentation
from tsunagu.spec import Condition
from tsunagu.spec.shifts import variant

__all__ = ["Systematic", "between"]


@register_augmentation("systematic")
@final
@dataclass(frozen=True)
class Systematic:
    """Inputs shifted by a systematic uncertainty that the study declares, such as an energy scale.

    The columns ``up`` and ``down`` by one standard deviation are made when the events are read, with all that is made of what
    changes; the selection is that of the nominal events. In a training, each event is somewhere on the curve
    through the three, see :func:`between`.

    Args:
        name: of the uncertainty: a ``scale`` or a ``function`` of columns.
        size: the condition that is the size, in standard deviations: it is drawn for each event, which is shifted by it, and shown
            to the network. Without, the size is a normal number that nobody is shown.
        width: of that number.
        where: a column that is not 0 for the events that shift; all without.

    >>> Systematic("tes").columns_of(["p4", "met"], ["p4", "met", "p4__tes__up", "p4__tes__down"])
    {'p4': ('p4__tes__up', 'p4__tes__down')}
    """

    name: str
    size: Condition | None = None
    width: float = 1.0
    where: str | None = None

    def __post_init__(self) -> None:
        size: object = self.size
        if size is not None and not isinstance(size, Condition):
            msg = f"size is a condition, such as {{condition: {self.name}, uniform: [-2, 2]}}, found {self.size!r}"
            raise ValueError(msg)
        if not self.width > 0.0:
            msg = f"width must be positive, found {self.width}"
            raise ValueError(msg)

    def columns_of(self, names: Iterable[str], there: Collection[str]) -> dict[str, tuple[str, str | None]]:
        """The columns that hold the shifted values of those among these names that shift: up, and down if there is one.

        Args:
            names: of columns.
            there: all that the table has.
        """
        ends = {name: tuple(variant(name, self.name, end) for end in ("up", "down")) for name in names}
        found = {name: pair for name, pair in ends.items() if pair[0] in there}
        return {name: (up, down if down in there else None) for name, (up, down) in found.items()}

    def check(self, columns: Mapping[str, Tensor]) -> str | None:
        """A sentence on what makes a table unfit, or None where it fits."""
        if self.columns_of(columns, columns):
            return None
        return f"no column that is read changes with '{self.name}'"


def between(nominal: Tensor, up: Tensor, down: Tensor | None, size: Tensor) -> Tensor:
    """How far events move with a shift of some standard deviations: a parabola through 0 and both ends, straight lines beyond.

    What is no real number is that of the nearer end. An angle that one end has turned past pi is drawn through 0, so a column should
    hold its sine and cosine if it changes.

    Args:
        nominal: ``[E, ...]``.
        up: the same at +1.
        down: at -1; mirrored without.
        size: ``[E]``.

    Returns:
        ``[E, ...]``, to be added to the nominal values; of whole numbers, too.

    >>> x = torch.tensor([10.0, 10.0, 10.0, 10.0])
    >>> between(x, 1.2 * x, 0.9 * x, torch.tensor([0.0, 0.5, 1.0, -2.0])).tolist()
    [0.0, 0.875, 2.0, -2.0]
    """
    wide = size.view(-1, *[1] * (nominal.ndim - 1))
    if not nominal.is_floating_point():
        mirrored = nominal if nominal.dtype == torch.bool else 2 * nominal - up
        lower = mirrored if down is None else down
        ends = torch.where(wide > 0.5, up, torch.where(wide < -0.5, lower, nominal))
        return ends - nominal if nominal.dtype != torch.bool else ends ^ nominal
    wide = wide.to(nominal.dtype)
    rise = up - nominal
    fall = -rise if down is None else down - nominal
    inside = 0.5 * wide * (rise - fall) + 0.5 * wide.square() * (rise + fall)
    beyond = wide.abs() * torch.where(wide > 0.0, rise, fall)
    return torch.where(wide.abs() <= 1.0, inside, beyond)
