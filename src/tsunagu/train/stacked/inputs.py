"""What R modules read: each member its own row of a tensor, copied only where they are run as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor

__all__ = ["Inputs", "Pick"]


@final
@dataclass(frozen=True)
class Pick:
    """Rows of a tensor by member.

    Args:
        tensor: ``[S, B, ...]``: several members may read one row, as those of one seed do.
        rows: for each of R members, which row it reads.

    >>> pick = Pick(torch.tensor([[1.0], [2.0]]), (1, 0, 1))
    >>> pick.one(0).tolist(), pick.all().tolist()
    ([2.0], [[2.0], [1.0], [2.0]])
    """

    tensor: Tensor
    rows: tuple[int, ...]

    def one(self, member: int) -> Tensor:
        """What one member reads, ``[B, ...]``; a view."""
        return self.tensor[self.rows[member]]

    def all(self) -> Tensor:
        """What all read, ``[R, B, ...]``; a copy where rows are taken out of order or several times."""
        if self.rows == tuple(range(len(self.tensor))):
            return self.tensor
        return self.tensor.index_select(0, torch.tensor(self.rows, device=self.tensor.device))


@final
@dataclass(frozen=True)
class Inputs:
    """The arguments of R modules of one shape."""

    positional: Sequence[Pick] = ()
    keywords: Mapping[str, Pick] = field(default_factory=dict)

    def one(self, member: int) -> tuple[list[Tensor], dict[str, Tensor]]:
        """The arguments of one member, ``[B, ...]`` each."""
        named = {name: pick.one(member) for name, pick in self.keywords.items()}
        return [pick.one(member) for pick in self.positional], named

    def all(self) -> tuple[list[Tensor], dict[str, Tensor]]:
        """The arguments of all, ``[R, B, ...]`` each."""
        return [pick.all() for pick in self.positional], {n: pick.all() for n, pick in self.keywords.items()}
