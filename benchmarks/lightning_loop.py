"""The same models under Lightning's Trainer with a default DataLoader: what most users would write."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.chain import BATCH, LR, Chain
from benchmarks.measure import Clock
from tsunagu.data import Split, Table

__all__ = ["LightningLoop", "LightningStudy"]


class LightningLoop:
    """The second epoch of a fit of three, from its start to the start of the third.

    So the start-up of the fit and the first steps are left out, and one whole epoch with its loading is counted.
    """

    def __init__(self, chain: Chain, events: int) -> None:
        self.chain, table = chain, chain.events(events)
        self.loader = _loader(chain, table, torch.arange(events), shuffle=True)

    def __call__(self, clock: Clock) -> float:
        starts: list[float] = []
        module = _module(self.chain, lambda: starts.append(clock()), fused=True)
        _fit(module, 3, self.loader)
        return (starts[2] - starts[1]) / len(self.loader)


class LightningStudy:
    """Trainings one after the other, of which a sample is run: each from its models to the end of its fit.

    After each epoch the validation events are looked at, as ours are.

    Args:
        chains: the sample.
        table: the events.
        split: those to train and to validate with.
        epochs: of each training.
        trainings: of the whole study.
    """

    def __init__(
        self, chains: Sequence[Chain], table: Table, split: Split, *, epochs: int, trainings: int
    ) -> None:
        self.chains, self.table, self.split = chains, table, split
        self.epochs, self.trainings = epochs, trainings
        _trainer(1)  # its import is not counted

    def __call__(self, clock: Clock) -> float:
        start = clock()
        for chain in self.chains:
            train = _loader(chain, self.table, self.split.train, shuffle=True)
            validation = _loader(chain, self.table, self.split.validation, shuffle=False)
            _fit(_module(chain, lambda: None, fused=False), self.epochs, train, validation)
        return (clock() - start) * self.trainings / len(self.chains)


def _loader(chain: Chain, table: Table, rows: Tensor, *, shuffle: bool) -> Any:
    data = TensorDataset(*(table.columns[name][rows] for name in chain.columns))
    return DataLoader(data, batch_size=BATCH, shuffle=shuffle)


def _fit(module: Any, epochs: int, *loaders: Any) -> None:
    trainer = _trainer(epochs)
    with warnings.catch_warnings():
        # It asks for more loader processes; with small models they take the cores from the training.
        warnings.simplefilter("ignore")
        trainer.fit(module, *loaders)


def _trainer(epochs: int) -> Any:
    from lightning.pytorch import Trainer

    # After the import, which sets the level to INFO; the Trainer reports devices and advertises.
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    return Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_progress_bar=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )


def _module(chain: Chain, at_epoch: Any, *, fused: bool) -> Any:
    from lightning.pytorch import LightningModule

    class Module(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.models = chain.graph().models

        def on_train_epoch_start(self) -> None:
            at_epoch()

        def training_step(self, batch: list[Tensor]) -> Tensor:
            return self.loss(batch)

        def validation_step(self, batch: list[Tensor]) -> None:
            self.log("valid_loss", self.loss(batch))

        def loss(self, batch: list[Tensor]) -> Tensor:
            *inputs, truth, label = batch
            taus = self.models["calibrate"](*inputs)
            return chain.by_hand(taus, self.models["classify"](taus), truth, label)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), lr=LR, fused=fused or None)

    return Module()
