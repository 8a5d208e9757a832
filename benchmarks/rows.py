"""The rows of the table: which two sides, what for, and how good is good enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.chain import GRID, Chain, mlps, of_the_talk, own_weights
from benchmarks.conditioned import NETWORKS, beside_fixed
from benchmarks.engine import Together
from benchmarks.hand_loop import DrawnByHand, HandLoop, OneByOne
from benchmarks.lightning_loop import LightningLoop
from benchmarks.losses import COSTS, beside_cross_entropy
from benchmarks.measure import STEPS, STUDIES, Comparison, Scale, Side, compare
from benchmarks.objectives import beside_the_sum
from benchmarks.peak import flops_of_step
from benchmarks.reading import READING, MappedTable, PlainArrays
from benchmarks.resnet import AtThePeak, ResNetStep
from benchmarks.studies import GridStudy, on_lightning
from benchmarks.supernet import JUDGED, DrawnPaths, EachPath, Tree
from tsunagu.spec import node

__all__ = ["ROWS", "Row"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One comparison.

    Args:
        sides: makes our side and theirs.
        rounds: how many to measure.
        target: the ratio should not be above it.
        note: what exactly is compared.
        scale: steps by CPU time, or studies by wall clock.
        members: the chain of each member of our side, where the arithmetic of a step can be counted.
    """

    sides: Callable[[], tuple[Side, Side]]
    rounds: int
    target: float
    note: str
    scale: Scale = STEPS
    members: Sequence[Chain] = ()

    def run(self) -> tuple[Comparison, str]:
        """Measure it; and say how our models are run, where that can be told."""
        ours, theirs = self.sides()
        backends = ours.backends() if isinstance(ours, Together) else ""
        return compare(ours, theirs, rounds=self.rounds, scale=self.scale), backends

    @property
    def flops(self) -> int:
        """Floating-point operations of one step of all members; 0 where they are not counted."""
        return sum(flops_of_step(chain) for chain in self.members)


def _population(
    chains: Sequence[Chain],
    seeds: int,
    *,
    steps: int,
    rounds: int,
    target: float,
    note: str,
    sample: int | None = None,
) -> Row:
    """Members in step over as many hand-written loops; one epoch of so many steps, all loops or a sample of the seeds."""
    events = 100 * steps

    def sides() -> tuple[Side, Side]:
        return Together(chains, seeds, events), OneByOne(chains, seeds, events, sample or seeds)

    words = f"{note}; one epoch of {steps} steps"
    return Row(
        sides=sides,
        rounds=rounds,
        target=target,
        note=words,
        members=[c for c in chains for _ in range(seeds)],
    )


CHAIN = "joint step of two MLPs (8-64-64-6 with MSE, 6-64-64-1 with BCE), batch 100, float32, engine with event weights"
MANY = f"{CHAIN}, of many trainings"
TALK = (
    "joint step, batch 100, float32, engine with event weights, of {first} (four_momentum) and {second} (binary) as the "
    "package has them, on images [E, 2, 3, 16, 16] and momenta [E, 2, 4]: {seeds} seeds as one population over {seeds} "
    "hand-written loops"
)
WIDE = mlps(256)


def _of_the_talk(first: str, second: str, seeds: int) -> Row:
    """No candidate shall be slower in a population than one by one."""
    note = TALK.format(first=first, second=second, seeds=seeds)
    return _population([of_the_talk(first, second)], seeds, steps=20, rounds=9, target=1.0, note=note)


def _loss(key: str, most: float) -> Row:
    note = (
        f"step of an MLP 8-256-256-2, batch 100, float32, engine with event weights, with the loss {key} over the same with "
        "cross_entropy; one epoch of 100 steps each"
    )
    return Row(sides=lambda: beside_cross_entropy(key), rounds=11, target=most, note=note)


def _conditioned(name: str) -> Row:
    what = {
        "mlp256": "an MLP 8-256-256-2, batch 1024, one site; one epoch of 20 steps each",
        "mlp256_batch_100": "an MLP 8-256-256-2, batch 100, one site; one epoch of 100 steps each",
        "cnn": "two residual blocks of 3 x 3 convolutions on images [E, 3, 16, 16], 16 and 32 planes, batch 64, two sites; one "
        "epoch of 10 steps each",
    }
    note = (
        f"step of {what[name]}, float32, engine with event weights, class_balanced with 1 - beta as a condition, over the same "
        "with 1e-4"
    )
    return Row(sides=lambda: beside_fixed(name), rounds=11, target=1.3, note=note)


def _mgda(*, features: bool, most: float, seeds: int = 1) -> Row:
    words = "the shared features" if features else "the shared weights"
    note = (
        "step of a trunk 8-256-256-256 with two heads (256-256-6 with MSE, 256-256-1 with BCE), batch 100, float32, engine with event "
        f"weights, {seeds} in step, with MGDA on the gradients by {words}, over the same with the plain sum; one epoch of 100 "
        "steps each"
    )
    how = node("mgda", features=features)
    return Row(sides=lambda: beside_the_sum(how, seeds), rounds=11, target=most, note=note)


def _two_workers() -> tuple[Side, Side]:
    settings = {"events": 25_000, "seeds": 4, "epochs": 45}
    return GridStudy(**settings, workers=2), GridStudy(**settings, workers=1)


def _grid_over_lightning() -> tuple[Side, Side]:
    ours = GridStudy(events=25_000, seeds=10, epochs=5, workers=None)
    return ours, on_lightning(ours, sample=2)


def _tree(tasks: int, options: int, hidden: Sequence[int], *, repeat: int, target: float) -> Row:
    """All paths as a tree over all paths one by one."""

    def sides() -> tuple[Side, Side]:
        tree = Tree(tasks, options, hidden, repeat)
        return tree, EachPath(tree)

    note = (
        f"predictions of all {options**tasks} paths of {tasks} tasks with {options} MLPs each (8-"
        f"{'-'.join(map(str, hidden))}-8) on {JUDGED} events, float32, without gradients: as a tree, over one path after the "
        f"other as plain modules that are put together before; at best 1 / {_best(tasks, options):.2f}"
    )
    return Row(sides=sides, rounds=11, target=target, note=note)


def _best(tasks: int, options: int) -> float:
    """Models that run one by one over those that run as a tree."""
    return tasks * options**tasks / sum(options ** (level + 1) for level in range(tasks))


ROWS = {
    "chain_step_vs_hand_loop": Row(
        sides=lambda: (Together([mlps()], 1, 20_000), HandLoop(mlps(), 20_000)),
        rounds=21,
        target=1.15,
        members=[mlps()],
        note=f"{CHAIN}, over randperm + index_select + fused Adam on the same modules with unweighted "
        "torch.nn.functional losses; one epoch of 200 steps each, shuffling and first step included, no validation",
    ),
    "chain_step_vs_lightning": Row(
        sides=lambda: (Together([mlps()], 1, 10_000), LightningLoop(mlps(), 10_000)),
        rounds=11,
        target=0.5,
        members=[mlps()],
        note=f"{CHAIN}, over Lightning's Trainer (no logger, bar, checkpoints or log calls) with the default "
        "shuffled DataLoader over a TensorDataset and fused Adam; one epoch of 100 steps each, Lightning's being the "
        "second epoch of a fit of three, so without its start-up",
    ),
    "population_10_mlp64": _population(
        [mlps()],
        10,
        steps=200,
        rounds=11,
        target=0.22,
        note=f"{MANY}: 10 seeds as one population over 10 hand-written loops",
    ),
    "population_10_mlp256": _population(
        [WIDE],
        10,
        steps=200,
        rounds=9,
        target=0.83,
        note=f"{MANY} with hidden layers of 256: 10 seeds as one population over 10 hand-written loops",
    ),
    "grid_3x3x10_mlp64": _population(
        GRID,
        10,
        steps=200,
        rounds=9,
        target=0.25,
        sample=2,
        note=f"{MANY}: three activations for each step and 10 seeds, 90 members in 6 stacks, over 90 hand-written loops "
        "(two seeds of each of the nine timed, times five)",
    ),
    "population_10_own_weights": _population(
        [own_weights()],
        10,
        steps=20,
        rounds=9,
        target=1.0,
        note=f"{MANY}, whose inputs are scaled by weights of the networks' own, so that they are run by vmap: 10 seeds as "
        "one population over 10 hand-written loops",
    ),
    **{f"loss_{key}": _loss(key, most) for key, most in COSTS.items()},
    **{f"conditioned_step_{name}": _conditioned(name) for name in NETWORKS},
    "mgda_step": _mgda(features=True, most=1.4),
    "mgda_step_weights": _mgda(features=False, most=2.2),
    "mgda_step_population_10": _mgda(features=True, most=1.4, seeds=10),
    "population_4_cnn": _of_the_talk("TauCNN", "LSTM", 4),
    "population_10_scale_lstm": _of_the_talk("ScaleFactor", "LSTM", 10),
    "population_10_mlp_mass": _of_the_talk("TauMLP", "MassMLP", 10),
    "population_10_mlp_mlp": _of_the_talk("TauMLP", "MLP", 10),
    "spos_step": Row(
        sides=lambda: (DrawnPaths(mlps(), 20_000), DrawnByHand(mlps(), 3, 20_000)),
        rounds=11,
        target=1.1,
        note=f"{CHAIN}, of a path that is drawn anew in each step from 3 x 3 equal ones (SPOS), over a loop by hand that draws "
        "from Python lists, unweighted losses, fused Adam on all weights with zero_grad(set_to_none=True); one epoch of 200 "
        "steps each, shuffling and first step included, no validation",
    ),
    "prefix_tree_3x3": _tree(2, 3, (256, 256, 256), repeat=10, target=0.714),
    "prefix_tree_3x3_mlp64": _tree(2, 3, (64, 64), repeat=50, target=0.714),
    "prefix_tree_5x5x5": _tree(3, 5, (256, 256, 256), repeat=1, target=0.4545),
    "prefix_tree_5x5x5_mlp64": _tree(3, 5, (64, 64), repeat=5, target=0.4545),
    "resnet_gemm_share": Row(
        sides=lambda: (ResNetStep(), AtThePeak()),
        rounds=9,
        target=round(1 / 0.6, 2),
        note="one step of the talk's ResNet (cnn1 and mlp1 of examples/architectures/resnet.yaml, and Linear 256 -> 2) on 64 "
        "images [E, 3, 16, 16] with cross entropy and Adam, in the engine, over the time that its dense layers and convolutions "
        "would take at the best rate of a matrix product, measured in the same round; 1 over the ratio is the share of the peak",
    ),
    "read_root_30": Row(
        sides=lambda: (MappedTable(1_000_000), PlainArrays(1_000_000)),
        rounds=1,
        target=2.0,
        scale=READING,
        note="a ROOT file of 1,000,000 events with 30 flat branches (29 float32 and the event number, uproot's default "
        "compression) opened, checked, folded and standing in mapped columns with memory: 130 MB, over uproot's arrays of "
        "all branches in memory",
    ),
    "workers_2": Row(
        sides=_two_workers,
        rounds=3,
        target=0.59,
        scale=STUDIES,
        note="a study of 36 trials (three activations for each of two 64-wide MLPs, 4 seeds, 45 epochs of 200 steps of 100 "
        "events with validation after each, metrics and predictions written) through run_study with Processes, "
        "two workers over one, start-up of the workers included",
    ),
    "study_3x3x10_vs_lightning": Row(
        sides=_grid_over_lightning,
        rounds=3,
        target=0.125,
        scale=STUDIES,
        note="a study of 90 trainings (three activations for each of two 64-wide MLPs, 10 seeds, 5 epochs of 200 steps of "
        "100 events with validation after each) through run_study with Processes, as many workers as usable cores, one "
        "thread each, their start-up, an AUC after every epoch and all files of results included, over Lightning's Trainer "
        "with default DataLoaders and Adam and one thread, one training after the other, no files, of which 6 trainings "
        "are timed, each with the start-up of its Trainer, times 15",
    ),
}
