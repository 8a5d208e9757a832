"""Blocks of dense layers with batch normalisation, as the networks of the talk are made of them.

A block called ``FiLMed_...`` has a :class:`~tsunagu.layers.FiLMSite`, which does nothing until a condition is given to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, final

from torch import Tensor, nn

from tsunagu.layers.dense import activate
from tsunagu.layers.init import initialise
from tsunagu.layers.registry import check_args, register
from tsunagu.layers.sites import FiLMSite
from tsunagu.layers.stochastic import Dropout

__all__ = ["FiLMedMLPBlock", "FiLMedResBlock", "MLPBlock", "ResBlock"]


@register
@final
class MLPBlock(nn.Module):
    """Linear, batch normalisation without weights of its own, activation, dropout.

    Args:
        n_input: numbers per event that come in.
        n_output: numbers per event that go out.
        activation: a class of ``torch.nn`` by name, or a module to copy.
        dropout_rate: the probability; 0 leaves the layer out.
        film: whether there is a site for a condition behind the activation; by itself where the pipeline has one.

    Shapes: ``[E, n_input]`` to ``[E, n_output]``; more than one event while training.

    >>> import torch
    >>> MLPBlock(4, 8, "GELU", 0.1)(torch.rand(5, 4)).shape
    torch.Size([5, 8])
    """

    def __init__(
        self,
        n_input: int,
        n_output: int,
        activation: str | nn.Module = "ReLU",
        dropout_rate: float = 0.0,
        film: bool = False,
    ) -> None:
        super().__init__()
        site: list[nn.Module] = [FiLMSite(n_output)] if film else []
        self.layers = _block(n_input, n_output, activation, dropout_rate, site)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.layers(x)
        return made


@final
class FiLMedMLPBlock(nn.Module):
    """A :class:`MLPBlock` with a site for a condition between activation and dropout; the key is ``FiLMed_MLPBlock``.

    Arguments and shapes are those of :class:`MLPBlock`.
    """

    def __init__(
        self, n_input: int, n_output: int, activation: str | nn.Module = "ReLU", dropout_rate: float = 0.0
    ) -> None:
        super().__init__()
        self.layers = _block(n_input, n_output, activation, dropout_rate, [FiLMSite(n_output)])

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.layers(x)
        return made


@register
@final
class ResBlock(nn.Module):
    """One residual around several blocks, ``x + f_n(... f_1(x))``.

    Args:
        blocks: the arguments of each :class:`MLPBlock`; the last one gives as many numbers as the first one takes.
        film: whether the blocks have sites for a condition; by itself where the pipeline has one.

    Shapes: ``[E, n_input]`` to the same.

    Raises:
        ValueError: no block, arguments that a block does not take, or sizes that do not follow each other.

    >>> ResBlock({"n_input": 4, "n_output": 8}, {"n_input": 8, "n_output": 5})
    Traceback (most recent call last):
    ValueError: the sizes of a residual must follow each other and end as they begin, found 4 -> 8, 8 -> 5
    """

    def __init__(self, *blocks: Mapping[str, Any], film: bool = False) -> None:
        super().__init__()
        self.blocks = _chain(MLPBlock, [{"film": film, **block} for block in blocks] if film else blocks)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = x + self.blocks(x)
        return made


@final
class FiLMedResBlock(nn.Module):
    """A :class:`ResBlock` of blocks with sites for a condition; the key is ``FiLMed_ResBlock``."""

    def __init__(self, *blocks: Mapping[str, Any]) -> None:
        super().__init__()
        self.blocks = _chain(FiLMedMLPBlock, blocks)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = x + self.blocks(x)
        return made


register(FiLMedMLPBlock, "FiLMed_MLPBlock")
register(FiLMedResBlock, "FiLMed_ResBlock")


def _block(
    inputs: int, outputs: int, activation: str | nn.Module, dropout: float, site: list[nn.Module]
) -> nn.Sequential:
    # The statistics alone: what follows can scale and shift as well (a condition does).
    normal = nn.BatchNorm1d(outputs, affine=False)
    last = [Dropout(dropout)] if dropout else []
    return initialise(nn.Sequential(nn.Linear(inputs, outputs), normal, activate(activation), *site, *last))


def _chain(kind: type[nn.Module], blocks: Sequence[Mapping[str, Any]]) -> nn.Sequential:
    unfit = [_unfit(kind, block) for block in blocks]
    problems = [f"block {i}: {problem}" for i, problem in enumerate(unfit) if problem]
    if problems or not blocks:
        msg = "; ".join(problems) or "a residual needs one block at least"
        raise ValueError(msg)
    sizes = [(block["n_input"], block["n_output"]) for block in blocks]
    follow = all(before[1] == after[0] for before, after in pairwise(sizes))
    if not follow or sizes[0][0] != sizes[-1][1]:
        found = ", ".join(f"{first} -> {last}" for first, last in sizes)
        msg = f"the sizes of a residual must follow each other and end as they begin, found {found}"
        raise ValueError(msg)
    return nn.Sequential(*(kind(**block) for block in blocks))


def _unfit(kind: type[nn.Module], block: object) -> str:
    if not isinstance(block, Mapping):
        return f"expected the arguments of a block by name, found {block!r}"
    return check_args(kind, block) or ""
