"""More than ten thousand architectures: channels, kernels, activations and depth beside a choice of whole models."""

from __future__ import annotations

import time

import pytest

from tsunagu.oneshot import OneShot
from tsunagu.search import Asng, Enas, Evolution, Gdas, Spos
from tsunagu.spec import Folds, choice, count, node, resolve
from tsunagu.train import Training

ACTIVATIONS = ("ReLU", "GELU", "Mish")
EVOLUTION = Evolution(population=5, iterations=3, top=3)
SEARCHERS = {
    "Spos": Spos(evolution=EVOLUTION),
    "FairNAS": Spos(fair=True, evolution=EVOLUTION),
    "Asng": Asng(),
    "Enas": Enas(samples=2),
    "Gdas": Gdas(),
}


def _activation():
    return choice(*map(node, ACTIVATIONS))


def _depth(number):
    width = choice(4, 8, 12, 16, name=f"width{number}")
    block = [node("Linear", 8, width), _activation(), node("Linear", width, 8)]
    return choice(block=block, none=node("Identity"))


@pytest.fixture
def pipeline(pipeline_of):
    hidden = {"features": [4], "hidden": choice(one=[8], two=[8, 8])}
    cnn = node(
        "TauCNN", channels=choice(4, 8), kernel=choice(3, 5), activation=choice(*ACTIVATIONS), **hidden
    )
    first = choice(
        cnn=cnn, mlp=node("TauMLP", activation=choice(*ACTIVATIONS), **hidden), scale=node("ScaleFactor")
    )
    layers = [
        node("Flatten"),
        node("Linear", 6, 8),
        _activation(),
        *map(_depth, (1, 2)),
        node("Linear", 8, 1),
    ]
    second = choice(
        layers=layers, mlp=node("MLP", hidden=choice([4], [4, 4]), activation=choice(*ACTIVATIONS))
    )
    return pipeline_of(first=first, second=second, epochs=3, pretrain_epochs=1)


@pytest.mark.parametrize("searcher", SEARCHERS.values(), ids=SEARCHERS)
def test_it_is_searched_in_the_time_of_a_few_trainings(pipeline, table, searcher):
    assert count(pipeline) == 31 * (3 * 13**2 + 6) > 10_000
    split = table.split(Folds())
    start = time.process_time()
    search = OneShot(pipeline, searcher, table, split, seed=1)
    search.run()
    chosen = search.choose()
    spent = time.process_time() - start
    search.space.check(chosen.architecture)
    alone = Training(resolve(pipeline, chosen.architecture), table, split, seed=1)
    start = time.process_time()
    alone.run()
    assert spent < 100 * (time.process_time() - start), "a grid would take ten thousand trainings"
