"""The places in a network where a condition scales and shifts features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import final

from torch import Tensor, nn

from tsunagu.layers.registry import register
from tsunagu.layers.scaling import Scaling, modulated

__all__ = ["FiLMSite", "Modulation", "Shifting", "film_sites"]


@final
class Modulation:
    """What the sites of a network read while it runs; nothing before and after.

    A copy of a network, deep or of its modules only, keeps its sites and their network together.
    """

    def __init__(self) -> None:
        self._values: Sequence[Scaling] | None = None

    @contextmanager
    def being(self, values: Sequence[Scaling]) -> Iterator[None]:
        """While the block runs, the sites read these."""
        self._values = values
        try:
            yield
        finally:
            self._values = None

    def of(self, number: int) -> Scaling | None:
        """That of one site."""
        return None if self._values is None else self._values[number]


@register
@final
class FiLMSite(nn.Module):
    """A place inside a network where a condition can scale and shift; the identity while there is none.

    Args:
        features: C, of one axis of the input.
        axis: which one; 1, or -1 for the last.

    Shapes: ``[E, C, ...]`` (or ``[E, ..., C]``) to the same; where events are folded, ``[E N, ...]``, all N of an event get its
    condition.

    >>> import torch
    >>> x = torch.rand(5, 8)
    >>> FiLMSite(8)(x) is x
    True
    """

    scale: Tensor | None
    shift: Tensor | None

    def __init__(self, features: int, axis: int = 1) -> None:
        super().__init__()
        self.scale = self.shift = None
        self.features, self.axis = features, axis
        self._source: Modulation | None = None
        self._number = 0
        self._shifts = True

    def listen(self, source: Modulation, number: int) -> None:
        """Take scales and shifts from there from now on."""
        self._source, self._number = source, number

    def fix(self, scale: Tensor, shift: Tensor) -> None:
        """Scale and shift all events by the same ``[1, C]`` from now on."""
        self._source = None
        del self.scale, self.shift
        self.register_buffer("scale", scale.clone())
        self.register_buffer("shift", shift.clone())

    def forward(self, x: Tensor) -> Tensor:
        own = self.now
        if own is not None:
            return own(x, self.axis) if self._shifts or not own.is_flat(x) else own.scaled(x)
        return (
            x if self.scale is None or self.shift is None else modulated(x, self.scale, self.shift, self.axis)
        )

    @property
    def now(self) -> Scaling | None:
        """What the condition of the running network does here."""
        return None if self._source is None else self._source.of(self._number)

    def leave_shift(self) -> None:
        """From now on the layer behind shifts, where the features are ``[E, C]``."""
        self._shifts = False

    def extra_repr(self) -> str:
        return str(self.features)


@final
class Shifting(nn.Linear):
    """A dense layer right behind a site, which shifts in its place: ``V (s x + t) = V (s x) + V t``.

    Its outputs are fewer than the features of the site, so that is less work.

    Args:
        site: before it, and before nothing else.
        outputs: of the layer.
    """

    def __init__(self, site: FiLMSite, outputs: int) -> None:
        super().__init__(site.features, outputs)
        site.leave_shift()
        # Not a part of the layer.
        self._before = (site,)

    def forward(self, x: Tensor) -> Tensor:
        made, own = super().forward(x), self._before[0].now
        return made if own is None or not own.is_flat(x) else own.shifted(made, self.weight)


def film_sites(module: nn.Module) -> dict[str, FiLMSite]:
    """The sites of a network by their path.

    >>> film_sites(nn.Sequential(nn.Linear(2, 8), FiLMSite(8)))
    {'1': FiLMSite(8)}
    """
    return {path: part for path, part in module.named_modules() if isinstance(part, FiLMSite)}
