"""The weights of a supernet leaf by leaf: a step touches those of the paths that it trains, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import final

import torch
from torch import Tensor, nn

from tsunagu.spec import Train
from tsunagu.tasks import Graph
from tsunagu.tasks.supernet import leaves_of
from tsunagu.train import Rows, Steps, learning_rate, optimizer

__all__ = ["Leaves"]


@final
class Leaves:
    """The trainable leaves of a supernet, a flat row of weights each, and their optimiser.

    A leaf is what :func:`tsunagu.tasks.build` makes of one node. A path holds a leaf whole or not at all, so the optimiser
    updates rows, and the momentum of what was not drawn stays as it is (Guo et al., arXiv:1904.00420).

    Args:
        graph: a supergraph; its parameters become views of the rows.
        train: optimiser, schedule and clipping.
    """

    def __init__(self, graph: Graph, train: Train) -> None:
        found = {path: Rows([leaf]) for path, leaf in leaves_of(graph).items()}
        self._rows = {path: rows for path, rows in found.items() if rows.count}
        self._of = {id(leaf.parameter): path for path, rows in self._rows.items() for leaf in rows.single}
        self._train = train
        made = optimizer(train.optimizer, [rows.whole for rows in self._rows.values()])
        self._rates = [group["lr"] for group in made.param_groups]
        self._steps = Steps(made)
        self._drawn: dict[int, tuple[nn.Module, list[Rows]]] = {}

    @property
    def count(self) -> int:
        """Trainable parameters."""
        return sum(rows.count for rows in self._rows.values())

    @property
    def rate(self) -> float:
        """The present learning rate."""
        return float(self._steps.optimizer.param_groups[0]["lr"])

    def step(self, loss: Tensor, paths: Sequence[nn.Module] | None, done: int, steps: int) -> None:
        """One optimiser step.

        Args:
            loss: a scalar.
            paths: whose leaves are trained; None for all leaves.
            done: so many of all steps of the stage are behind it.
            steps: of the stage.
        """
        drawn = list(self._rows.values()) if paths is None else self._of_all(paths)
        if not drawn or not loss.requires_grad:
            return
        gradients = [rows.gradients for rows in drawn]
        torch._foreach_zero_(gradients)
        torch.autograd.backward(loss)
        if self._train.clip is not None:
            _clip(gradients, self._train.clip)
        if self._train.schedule is not None:
            self._set_rate(learning_rate(self._train.schedule, done, steps))
        self._steps.step([rows.whole for rows in drawn])

    def restart(self) -> None:
        """Forget what the optimiser remembers, as at the beginning of a stage."""
        for rows in self._rows.values():
            self._steps.replace(rows.whole, {})
        self._set_rate(1.0)

    def tensors(self) -> dict[str, Tensor]:
        """Weights and moments by name; not copies."""
        found = {f"weights.{path}": rows.weights for path, rows in self._rows.items()}
        for path, rows in self._rows.items():
            state = self._steps.optimizer.state.get(rows.whole, {})
            found |= {
                f"moments.{path}.{name}": torch.as_tensor(v) for name, v in state.items() if v is not None
            }
        return found

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to what :meth:`tensors` gave."""
        for path, rows in self._rows.items():
            rows.weights.copy_(tensors[f"weights.{path}"])
            start = f"moments.{path}."
            state = {n.removeprefix(start): v.clone() for n, v in tensors.items() if n.startswith(start)}
            self._steps.replace(rows.whole, state)

    def _of_all(self, paths: Sequence[nn.Module]) -> list[Rows]:
        if len(paths) == 1:
            return self._of_one(paths[0])
        return _unique(rows for path in paths for rows in self._of_one(path))

    def _of_one(self, path: nn.Module) -> list[Rows]:
        # The supernet keeps its paths, so the same module comes again; it is held, or another could get its number.
        kept = self._drawn.get(id(path))
        if kept is None:
            names = (self._of[id(p)] for p in path.parameters() if id(p) in self._of)
            kept = path, _unique(self._rows[name] for name in names)
            if len(self._drawn) >= _MOST_KEPT:
                self._drawn.clear()
            self._drawn[id(path)] = kept
        return kept[1]

    def _set_rate(self, factor: float) -> None:
        for group, rate in zip(self._steps.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor


_MOST_KEPT = 256


def _unique(rows: Iterable[Rows]) -> list[Rows]:
    return list({id(each): each for each in rows}.values())


def _clip(gradients: Sequence[Tensor], limit: float) -> None:
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(part) for part in gradients]))
    # As torch.nn.utils.clip_grad_norm_ does it.
    torch._foreach_mul_(list(gradients), (limit / (norm + 1e-6)).clamp(max=1.0))
