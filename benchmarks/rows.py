"""The rows of the table: which two sides, what for, and how good is good enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.chain import EngineLoop
from benchmarks.hand_loop import HandLoop
from benchmarks.lightning_loop import LightningLoop
from benchmarks.measure import Comparison, Side, compare
from benchmarks.populations import GRID, OneByOne, Together

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

MANY = f"{CHAIN}, of many trainings"
RELU64, RELU256 = (64, ("ReLU", "ReLU")), (256, ("ReLU", "ReLU"))

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
    "population_10_mlp64": Row(
        sides=lambda: (Together(5_000, [RELU64], 10), OneByOne(5_000, [RELU64], 10, 10)),
        rounds=11,
        target=0.22,
        note=f"{MANY}: 10 seeds as one population over 10 hand-written loops; one epoch of 50 steps",
    ),
    "population_10_mlp256": Row(
        sides=lambda: (Together(2_000, [RELU256], 10), OneByOne(2_000, [RELU256], 10, 10)),
        rounds=9,
        target=0.83,
        note=f"{MANY} with hidden layers of 256: 10 seeds as one population over 10 hand-written loops; one epoch of 20 "
        "steps",
    ),
    "grid_3x3x10_mlp64": Row(
        sides=lambda: (Together(2_000, GRID, 10), OneByOne(2_000, GRID, 10, 2)),
        rounds=9,
        target=0.25,
        note=f"{MANY}: three activations for each step and 10 seeds, 90 members in 6 stacks, over 90 hand-written loops "
        "(two seeds of each of the nine timed, times five); one epoch of 20 steps",
    ),
}
