"""The same models under Lightning's Trainer with a default DataLoader: what most users would write."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import torch
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.chain import BATCH, COLUMNS, LR, make_graph, make_table, torch_loss
from benchmarks.measure import Clock

__all__ = ["LightningLoop"]


class LightningLoop:
    """The second epoch of a fit of three, from its start to the start of the third.

    So the start-up of the fit and the first steps are left out, and one whole epoch with its loading is counted.
    """

    def __init__(self, events: int) -> None:
        table = make_table(events)
        data = TensorDataset(*(table.columns[name] for name in COLUMNS))
        self.loader = DataLoader(data, batch_size=BATCH, shuffle=True)

    def __call__(self, clock: Clock) -> float:
        module, trainer = _module(clock), _trainer()
        with warnings.catch_warnings():
            # It asks for more loader processes; with small models they take the cores from the training.
            warnings.simplefilter("ignore")
            trainer.fit(module, self.loader)
        return (module.starts[2] - module.starts[1]) / len(self.loader)


def _trainer() -> Any:
    from lightning.pytorch import Trainer

    # After the import, which sets the level to INFO; the Trainer reports devices and advertises.
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    return Trainer(
        max_epochs=3,
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_progress_bar=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )


def _module(clock: Clock) -> Any:
    from lightning.pytorch import LightningModule

    class Chain(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.models = make_graph().models
            self.starts: list[float] = []

        def on_train_epoch_start(self) -> None:
            self.starts.append(clock())

        def training_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
            jets, true_taus, label = batch
            taus = self.models["calibrate"](jets)
            return torch_loss(taus, self.models["classify"](taus), true_taus, label)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), lr=LR, fused=True)

    return Chain()
