"""Tasks become a graph: models are built from the spec, wired by name, and trained in stages.

A task input that equals another task's output is an edge; any other input is a column of the table.
"""

from tsunagu.tasks.build import build, check_model
from tsunagu.tasks.check import check_data, check_pipeline
from tsunagu.tasks.graph import Graph, build_graph, wire
from tsunagu.tasks.stages import Stage, Term, stages

__all__ = [
    "Graph",
    "Stage",
    "Term",
    "build",
    "build_graph",
    "check_data",
    "check_model",
    "check_pipeline",
    "stages",
    "wire",
]


def __dir__() -> list[str]:
    return __all__
