"""The weights of a supernet leaf by leaf: a step touches those of the paths that it trains, and no others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from tsunagu.spec import Train
from tsunagu.tasks import Graph
from tsunagu.tasks.supernet import leaves_of
from tsunagu.train import Rows, Steps, clip, learning_rate, optimizer, placed
from tsunagu.train.state import copied, named, under

__all__ = ["Leaves"]

Tasks = tuple[str, ...]

_MOST_KEPT = 256


@final
class Leaves:
    """The trainable leaves of a supernet, a flat row of weights each, and their optimiser.

    A leaf is what :func:`tsunagu.tasks.build` makes of one node. A path holds a leaf whole or not at all, so the optimiser
    updates rows, and weights and momenta of what was not drawn stay as they are (Guo et al., arXiv:1904.00420).

    Args:
        graph: a supergraph; its parameters become views of the rows.
        train: optimiser, schedule and clipping.

    Attributes:
        rows: the weights ``[P]`` of each leaf, by its path as a module.
    """

    def __init__(self, graph: Graph, train: Train) -> None:
        found = {path: Rows([leaf]) for path, leaf in leaves_of(graph).items()}
        self._leaves = {path: rows for path, rows in found.items() if rows.count}
        self.rows = {path: rows.weights[0] for path, rows in self._leaves.items()}
        self._of = {id(leaf.parameter): path for path, rows in self._leaves.items() for leaf in rows.single}
        self._train = train
        # Of models without weights, such as the control Zero, there is nothing to optimise.
        weights = [rows.whole for rows in self._leaves.values()] or [nn.Parameter(torch.empty(0))]
        made = optimizer(train.optimizer, weights)
        self._rates = [group["lr"] for group in made.param_groups]
        self._steps = Steps(made)
        self._kept: dict[tuple[int, Tasks], tuple[Graph, _Drawn]] = {}

    @property
    def count(self) -> int:
        """Trainable parameters."""
        return sum(rows.count for rows in self._leaves.values())

    @property
    def rate(self) -> float:
        """The present learning rate."""
        return float(self._steps.optimizer.param_groups[0]["lr"])

    def set_rate(self, done: int, steps: int) -> None:
        """Set the learning rate to where its schedule is after so many of all steps of the stage."""
        factor = learning_rate(self._train.schedule, done, steps)
        for group, rate in zip(self._steps.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor

    def step(self, losses: Sequence[Tensor], paths: Sequence[Graph] | None, tasks: Tasks) -> None:
        """One optimiser step, in which each leaf follows the mean gradient of the paths that hold it.

        So a leaf that one path holds learns as if that were trained alone, however many others are trained in the same step;
        but clipping looks at the norm of all of them.

        Args:
            losses: scalars, one for each path, or one of a mixture.
            paths: whose leaves are trained; None for all leaves.
            tasks: that learn in this stage; the leaves of other tasks are left alone.
        """
        drawn = self._drawn(paths, tasks)
        if not drawn.weights:
            return
        torch._foreach_zero_(drawn.gradients)
        total = losses[0] if len(losses) == 1 else torch.stack(list(losses)).sum()
        # Constant candidates (controls such as Zero) at the end of the chain give a loss that nothing can lower.
        if total.requires_grad:
            torch.autograd.backward(total)
        for gradient, number in drawn.shared:
            gradient.div_(number)
        if self._train.clip is not None:
            clip(drawn.gradients, self._train.clip)
        self._steps.step(drawn.weights)

    def restart(self) -> None:
        """Forget what the optimiser remembers, as at the beginning of a stage."""
        for rows in self._leaves.values():
            self._steps.replace(rows.whole, {})

    def moments(self) -> dict[str, Tensor]:
        """The optimiser's own tensors by leaf and name; not copies. A leaf that was not drawn yet has none."""
        found: dict[str, Tensor] = {}
        for path, rows in self._leaves.items():
            state = self._steps.optimizer.state.get(rows.whole, {})
            found |= named(path, {n: torch.as_tensor(v) for n, v in state.items() if v is not None})
        return found

    def load_moments(self, moments: Mapping[str, Tensor]) -> None:
        """Go back to what :meth:`moments` gave."""
        for path, rows in self._leaves.items():
            state = placed(copied(under(path, moments)), rows.weights.device, self._steps.optimizer)
            self._steps.replace(rows.whole, state)

    def _drawn(self, paths: Sequence[Graph] | None, tasks: Tasks) -> _Drawn:
        if paths is None:
            return _Drawn.of(rows for path, rows in self._leaves.items() if _task(path) in tasks)
        if len(paths) > 1:
            return _Drawn.of(rows for path in paths for rows in self._held_by(path, tasks))
        # The supernet keeps its paths, so the same module comes again; it is held, or another could get its number.
        key = id(paths[0]), tasks
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            kept = self._kept[key] = paths[0], _Drawn.of(self._held_by(paths[0], tasks))
        return kept[1]

    def _held_by(self, path: Graph, tasks: Tasks) -> list[Rows]:
        weights = (weight for task in tasks for weight in path.models[task].parameters())
        names = dict.fromkeys(self._of[id(weight)] for weight in weights if id(weight) in self._of)
        return [self._leaves[name] for name in names]


@final
@dataclass(frozen=True)
class _Drawn:
    """The leaves of a step.

    Args:
        weights: of each.
        gradients: likewise.
        shared: the gradients of those that several paths hold, with their number.
    """

    weights: list[nn.Parameter]
    gradients: list[Tensor]
    shared: list[tuple[Tensor, int]]

    @staticmethod
    def of(held: Iterable[Rows]) -> _Drawn:
        uses = Counter(held)
        shared = [(rows.gradients, number) for rows, number in uses.items() if number > 1]
        return _Drawn([rows.whole for rows in uses], [rows.gradients for rows in uses], shared)


def _task(path: str) -> str:
    """The task of a leaf ``models.TASK...``."""
    return path.split(".")[1]
