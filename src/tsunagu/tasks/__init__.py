"""Tasks become a graph: models are built from the spec, wired by name, and trained in stages.

A task input that equals another task's output is an edge; any other input is a column of the table.
"""

from tsunagu.tasks.build import build, check_model
from tsunagu.tasks.check import check_data, check_pipeline
from tsunagu.tasks.conditions import CONDITION, VALUES, Conditions, conditions_of, spread
from tsunagu.tasks.fitting import fit_loss, fit_stages
from tsunagu.tasks.graph import Graph, build_graph, wire
from tsunagu.tasks.layout import Layer, input_shape, layout
from tsunagu.tasks.objectives import Reach, aggregator_of, check_conditioned_weights, reach
from tsunagu.tasks.scalarising import scalarisation_of
from tsunagu.tasks.settings import plain_loss
from tsunagu.tasks.showing import augmentations_of, sampling_of
from tsunagu.tasks.stages import Stage, Term, stages
from tsunagu.tasks.supernet import (
    Overview,
    Switch,
    build_supergraph,
    build_supernet,
    check_supernet,
    decisions,
    describe_space,
    mixture,
    own_outputs,
    path_alone,
    paths,
    single_path,
    take,
)

__all__ = [
    "CONDITION",
    "VALUES",
    "Conditions",
    "Graph",
    "Layer",
    "Overview",
    "Reach",
    "Stage",
    "Switch",
    "Term",
    "aggregator_of",
    "augmentations_of",
    "build",
    "build_graph",
    "build_supergraph",
    "build_supernet",
    "check_conditioned_weights",
    "check_data",
    "check_model",
    "check_pipeline",
    "check_supernet",
    "conditions_of",
    "decisions",
    "describe_space",
    "fit_loss",
    "fit_stages",
    "input_shape",
    "layout",
    "mixture",
    "own_outputs",
    "path_alone",
    "paths",
    "plain_loss",
    "reach",
    "sampling_of",
    "scalarisation_of",
    "single_path",
    "spread",
    "stages",
    "take",
    "wire",
]


def __dir__() -> list[str]:
    return __all__
