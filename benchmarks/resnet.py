"""The talk's ResNet as a side: how near its step comes to what the core can do at best."""

from __future__ import annotations

from pathlib import Path

import torch

from benchmarks.measure import Clock
from benchmarks.peak import flops_of_pass, gemm_peak
from tsunagu.data import Split, Table
from tsunagu.spec import LossTerm, Pipeline, Task, Train, node, ref
from tsunagu.tasks import build_graph
from tsunagu.train import Population, Training

__all__ = ["BATCH", "AtThePeak", "ResNetStep", "images", "pipeline"]

BATCH = 64
PEAK_SIZES = (512, 1024)
_ARCHITECTURES = Path(__file__).parents[1] / "examples" / "architectures"


def pipeline() -> Pipeline:
    """One task, images to two logits, one epoch."""
    parts = [ref(f"resnet.yaml#{name}", base=_ARCHITECTURES) for name in ("cnn1", "mlp1")]
    task = Task(
        inputs=["jet_image"],
        output="logits",
        model=[parts[0], node("Flatten"), parts[1], node("Linear", 256, 2)],
        loss=LossTerm(key="cross_entropy", target="is_tau"),
    )
    train = Train(epochs=1, batch_size=BATCH, patience=None)
    return Pipeline(tasks={"tau_id": task}, train=train, metric="accuracy(logits, is_tau)")


def images(events: int) -> Table:
    """Sparse images ``[E, 3, 16, 16]`` and labels of two classes."""
    generator = torch.Generator().manual_seed(1)
    pixels = torch.rand(events, 3, 16, 16, generator=generator)
    columns = {
        "jet_image": torch.where(pixels > 0.95, 100.0 * (pixels - 0.95), torch.zeros(())),
        "is_tau": torch.arange(events) % 2,
    }
    ones, number = torch.ones(events), torch.arange(events)
    return Table(
        columns=columns,
        weight=ones.double(),
        train_weight=ones,
        event_number=number,
        fold=number,
        fingerprint="",
    )


class ResNetStep:
    """One step of the engine: rows gathered, forward, back, Adam."""

    def __init__(self, steps: int = 1) -> None:
        events = steps * BATCH
        self.table, rows = images(events + 2), torch.arange(events + 2)
        self.split = Split(train=rows[:events], validation=rows[events:], test=rows[:0])

    def __call__(self, clock: Clock) -> float:
        training = Training(pipeline(), self.table, self.split, seed=1)
        steps, ends = training.steps_per_epoch, []

        def watch() -> None:
            if training.position.step == steps:
                ends.append(clock())

        start = clock()
        Population([training]).run(watch)
        return (ends[0] - start) / steps


class AtThePeak:
    """The time that the arithmetic of one step takes at the best rate of a matrix product, which is measured anew."""

    def __init__(self) -> None:
        graph = build_graph(pipeline(), seed=1)
        # The count is in proportion to the events; two are enough for batch normalisation.
        self.flops = flops_of_pass(graph, dict(images(2).columns)) * BATCH // 2

    def __call__(self, clock: Clock) -> float:
        return self.flops / gemm_peak(PEAK_SIZES, clock)
