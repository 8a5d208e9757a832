"""What paths are worth: as a tree what they are one by one, and with statistics of their own."""

from __future__ import annotations

import pytest
import torch

from tsunagu.layers import reestimate
from tsunagu.metrics import parse_metric
from tsunagu.oneshot import Judge
from tsunagu.random import derive_seed
from tsunagu.spec import architectures, choice, node
from tsunagu.tasks.supernet import build_supergraph, single_path
from tsunagu.train import measure, predict

NORMED = [node("Linear", 3, 6), node("BatchNorm1d", 6), node("Tanh"), node("Linear", 6, 3)]


@pytest.fixture
def judge_of(events, split):
    def made(pipeline, **settings):
        fields = {
            "graph": build_supergraph(pipeline, seed=3),
            "metric": parse_metric(pipeline.metric),
            "table": events,
            "train": split.train,
            "rows": split.validation,
            "batch_size": 50,
            "seed": 1,
        }
        return Judge(**fields | settings)

    return made


def _naively(judge, architecture):
    made = predict(single_path(judge.graph, architecture), judge.table, judge.rows)
    return measure([judge.metric], made, judge.table, judge.rows)[0]


def test_the_tree_gives_what_single_paths_give(chain_of, judge_of):
    judge, every = judge_of(chain_of()), list(architectures(chain_of()))
    assert judge.values(every) == [_naively(judge, each) for each in every]
    some = [every[5], every[0], every[5]]
    assert judge.values(some) == [_naively(judge, each) for each in some]


def test_in_more_chunks_than_one(chain_of, judge_of):
    judge, every = judge_of(chain_of(), rows=torch.arange(320).repeat(2)), list(architectures(chain_of()))
    assert judge.values(every) == [_naively(judge, each) for each in every]


@pytest.fixture
def normed(chain_of):
    first = [node("Linear", 3, 3), node("BatchNorm1d", 3), choice(a=NORMED, b=node("Identity"), name="block")]
    return chain_of(first=first)


def test_statistics_are_those_of_training_events_on_the_path(normed, judge_of):
    judge, every = judge_of(normed), list(architectures(normed))
    for buffer in judge.graph.buffers():
        buffer.data.fill_(7)
    values = judge.values(every)
    assert values == judge.values(every)
    assert values[::-1] == judge.values(every[::-1])
    batches = list(judge.table.batches(judge.train, 50, derive_seed(1, "statistics"), 0))
    assert [len(rows) for rows in batches] == [50, 50, 50, 42]
    for architecture, value in zip(every, values, strict=True):
        path = single_path(judge.graph, architecture)
        reestimate(path, [judge.table.take(["x"], rows) for rows in batches[:3]])
        assert _naively(judge, architecture) == value


def test_noise_does_not_depend_on_what_else_is_judged(chain_of, judge_of):
    second = choice(noise=node("Noise", output=[1]), line=node("Linear", 3, 1), name="second")
    judge, every = judge_of(chain_of(second=second)), list(architectures(chain_of(second=second)))
    values = judge.values(every)
    assert values[::-1] == judge.values(every[::-1])
    assert len({value for path, value in zip(every, values, strict=True) if path["second"] == "noise"}) == 1


def test_dropout_is_off(chain_of, judge_of):
    second = choice(
        drop=[node("Linear", 3, 1), node("Dropout", 0.5)], line=node("Linear", 3, 1), name="second"
    )
    judge = judge_of(chain_of(second=second))
    every = list(architectures(chain_of(second=second)))
    assert judge.values(every) == [_naively(judge, each) for each in every]
