"""A loss of whole batches: alone, in a population and beside an aggregator it is that of each member's own batch."""

from __future__ import annotations

import pytest
import torch

from tsunagu.spec import Folds, LossTerm, Pipeline, node
from tsunagu.train import Population, Training


def chain(pipeline_of, **train):
    made = pipeline_of(second=node("MLP", hidden=[8]), epochs=2, pretrain_epochs=1, batch_size=64, **train)
    loss = LossTerm(key="significance", target="is_higgs", args={"signal": 20.0, "background": 200.0})
    tasks = made.tasks | {"classify": made.tasks["classify"].model_copy(update={"loss": loss})}
    return Pipeline(tasks=tasks, train=made.train, metric=made.metric)


@pytest.mark.parametrize("aggregate", ["sum", "mgda"])
def test_members_of_a_population_end_as_alone(pipeline_of, table, aggregate):
    pipeline, split = chain(pipeline_of, aggregate=node(aggregate)), table.split(Folds())
    together = [Training(pipeline, table, split, seed=seed) for seed in (1, 2)]
    Population(together).run()
    for ours in together:
        alone = Training(pipeline, table, split, seed=ours.seed)
        alone.run()
        for name, value in alone.graph.state_dict().items():
            torch.testing.assert_close(ours.graph.state_dict()[name], value, rtol=2e-4, atol=2e-4)
        # Minus a significance, in training and on validation events.
        last = alone.position.history[-1]
        assert last.valid_loss < 0
