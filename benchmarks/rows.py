"""The rows of the table: which two sides, what for, and how good is good enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.chain import EngineLoop
from benchmarks.hand_loop import HandLoop
from benchmarks.lightning_loop import LightningLoop
from benchmarks.measure import Comparison, Side, compare

__all__ = ["ROWS", "Row"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One comparison.

    Args:
        sides: makes our side and theirs.
        rounds: how many to measure.
        target: the ratio should not be above it.
        note: what exactly is compared.
    """

    sides: Callable[[], tuple[Side, Side]]
    rounds: int
    target: float
    note: str

    def run(self) -> Comparison:
        """Measure it."""
        ours, theirs = self.sides()
        return compare(ours, theirs, rounds=self.rounds)


CHAIN = "joint step of two MLPs (8-64-64-6 with MSE, 6-64-64-1 with BCE), batch 100, float32, engine with event weights"

ROWS = {
    "chain_step_vs_hand_loop": Row(
        sides=lambda: (EngineLoop(20_000), HandLoop(20_000)),
        rounds=21,
        target=1.15,
        note=f"{CHAIN}, over randperm + index_select + fused Adam on the same modules with unweighted "
        "torch.nn.functional losses; one epoch of 200 steps each, shuffling and first step included, no validation",
    ),
    "chain_step_vs_lightning": Row(
        sides=lambda: (EngineLoop(10_000), LightningLoop(10_000)),
        rounds=11,
        target=0.5,
        note=f"{CHAIN}, over Lightning's Trainer (no logger, bar, checkpoints or log calls) with the default "
        "shuffled DataLoader over a TensorDataset and fused Adam; one epoch of 100 steps each, Lightning's being the "
        "second epoch of a fit of three, so without its start-up",
    ),
}
