"""Searchers: which architecture to judge next, and which is best. Nothing in here trains a network.

A searcher holds settings only. A driver asks, judges, and tells; everything that was learnt is in the state:

>>> from tsunagu.spec import choice
>>> space = Space({"lr": choice(0.1, 0.01), "depth": choice(2, 3)})
>>> searcher = Random(evaluations=3)
>>> state = searcher.init(space, seed=1)
>>> while not searcher.done(state):
...     asked = searcher.ask(state)
...     losses = [float(architecture["lr"]) for architecture in asked.architectures]
...     state = searcher.tell(state, asked, losses)
>>> searcher.best(state)["lr"]
'0.01'
"""

from tsunagu.search.alpha import AlphaState
from tsunagu.search.asng import Asng, AsngState
from tsunagu.search.bilevel import (
    Objective,
    Tensors,
    first_order,
    mixed_product,
    mixed_product_by_differences,
    second_order,
)
from tsunagu.search.darts import Darts
from tsunagu.search.enas import Enas, EnasState
from tsunagu.search.evolution import Evolution
from tsunagu.search.fair import fair_paths
from tsunagu.search.gdas import Gdas
from tsunagu.search.grid import Grid
from tsunagu.search.halving import Halving, Rung
from tsunagu.search.optuna import Optuna
from tsunagu.search.perturbation import select_by_perturbation
from tsunagu.search.random import Random
from tsunagu.search.registry import (
    check_searcher,
    find_searcher,
    known_searchers,
    make_searcher,
    register_searcher,
)
from tsunagu.search.scores import Scores
from tsunagu.search.searcher import (
    Distribution,
    HasDistribution,
    Losses,
    Mixture,
    Paths,
    Searcher,
    State,
    TrainsPaths,
    WantsGradients,
    WeightGradients,
    confidence,
)
from tsunagu.search.space import Decide, Space
from tsunagu.search.spos import Spos
from tsunagu.search.stored import from_data, to_data

__all__ = [
    "AlphaState",
    "Asng",
    "AsngState",
    "Darts",
    "Decide",
    "Distribution",
    "Enas",
    "EnasState",
    "Evolution",
    "Gdas",
    "Grid",
    "Halving",
    "HasDistribution",
    "Losses",
    "Mixture",
    "Objective",
    "Optuna",
    "Paths",
    "Random",
    "Rung",
    "Scores",
    "Searcher",
    "Space",
    "Spos",
    "State",
    "Tensors",
    "TrainsPaths",
    "WantsGradients",
    "WeightGradients",
    "check_searcher",
    "confidence",
    "fair_paths",
    "find_searcher",
    "first_order",
    "from_data",
    "known_searchers",
    "make_searcher",
    "mixed_product",
    "mixed_product_by_differences",
    "register_searcher",
    "second_order",
    "select_by_perturbation",
    "to_data",
]


def __dir__() -> list[str]:
    return __all__
