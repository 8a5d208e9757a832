"""What a search comes to, and whether a supernet orders its paths as separate trainings do."""

from __future__ import annotations

import pytest

from tsunagu.metrics import kendall_tau, parse_metric
from tsunagu.oneshot import MOST_JUDGED
from tsunagu.search import Darts, Evolution, Spos
from tsunagu.spec import architectures, choice, node, resolve
from tsunagu.train import Training, evaluate


def _alone(pipeline, events, split, seed):
    training = Training(pipeline, events, split, seed=seed)
    training.run()
    metric = parse_metric(pipeline.metric)
    return evaluate(training.graph, training.stages[-1], metric, events, split.validation).metric


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("searcher", [Spos(), Spos(fair=True)], ids=["Spos", "FairNAS"])
def test_paths_are_in_the_order_of_separate_trainings(chain_of, search_of, events, split, searcher, seed):
    pipeline = chain_of(epochs=30, pretrain_epochs=10)
    search = search_of(pipeline, searcher, seed)
    search.run()
    values = search.choose().values
    every = list(architectures(pipeline))
    alone = [_alone(resolve(pipeline, each), events, split, seed) for each in every]
    assert kendall_tau([values[each] for each in every], alone) > 0.5


def test_the_best_path_is_chosen_and_all_of_a_small_space_are_judged(chain_of, search_of):
    pipeline = chain_of()
    search = search_of(pipeline, Spos())
    search.run()
    chosen = search.choose()
    assert set(chosen.values) == set(architectures(pipeline))
    assert chosen.value == min(chosen.values.values()) == chosen.values[chosen.architecture]
    assert chosen.confidence is None
    assert search.choose() == chosen


def test_of_a_large_space_only_what_was_asked_is_judged(chain_of, search_of):
    act = [
        choice(*(node(name) for name in ("ReLU", "GELU", "Tanh", "Mish", "SiLU")), name=f"act{i}")
        for i in (1, 2, 3)
    ]
    layers = [part for each in act for part in (node("Linear", 3, 3), each)]
    pipeline = chain_of(first=layers, epochs=1, pretrain_epochs=1)
    assert MOST_JUDGED < 5**3 * 3
    search = search_of(pipeline, Spos(evolution=Evolution(population=6, iterations=2, top=3)))
    search.run()
    assert len(search.choose().values) == 12
    other = search_of(pipeline, Darts())
    other.run()
    chosen = other.choose()
    assert list(chosen.values) == [chosen.architecture]
    assert 0.2 < chosen.confidence < 1.0
