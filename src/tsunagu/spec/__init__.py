"""What a user declares: plain data that can be written, compared, counted, varied and hashed. No torch in here.

A spec is nested mappings, lists and numbers with two kinds of value of its own: a :class:`Node` is a layer or model
that is not yet built, a :class:`Choice` is a value that is not yet chosen. The models say what a study file may hold;
YAML and Python say the same.

>>> model = choice(cnn=node("TauCNN", channels=choice(16, 32)), scale=node("ScaleFactor"))
>>> count(model)
3
>>> resolve(model, {"choice": "scale"})
node('ScaleFactor')
"""

from tsunagu.errors import Path
from tsunagu.spec.analysis import Analysis, Bins, LabelledProcess
from tsunagu.spec.analysis_checks import check_analysis
from tsunagu.spec.architecture import (
    Architecture,
    Branches,
    architectures,
    branches,
    check_choices,
    choices,
    resolve,
)
from tsunagu.spec.canonical import canonical, digest
from tsunagu.spec.columns import check_columns, check_leaks, made_with, raw_columns
from tsunagu.spec.counting import count
from tsunagu.spec.covering import some_architectures
from tsunagu.spec.data import Process
from tsunagu.spec.document import Document, load_study
from tsunagu.spec.drawn import (
    condition,
    dirichlet,
    log_uniform,
    one_minus_log_uniform,
    schedule,
    simplex,
    uniform,
)
from tsunagu.spec.dump import dump_yaml
from tsunagu.spec.graph import check_graph, order, supervisors
from tsunagu.spec.models import Data, Folds, LossTerm, Pipeline, Study, Task, Train, loss
from tsunagu.spec.nodes import Choice, Node, Value, choice, node, options, to_data, walk
from tsunagu.spec.parameters import Condition, Schedule
from tsunagu.spec.processes import sample_processes
from tsunagu.spec.schema import schema
from tsunagu.spec.searches import Search
from tsunagu.spec.sections import Sections, load_sections, ref
from tsunagu.spec.systematics import OtherFiles, OtherWeights, Scale, Shifted, SomeSystematic, Yields
from tsunagu.spec.validation import validate_study
from tsunagu.spec.values import parse_value
from tsunagu.spec.vary import blame, variations, weight_scan

__all__ = [
    "Analysis",
    "Architecture",
    "Bins",
    "Branches",
    "Choice",
    "Condition",
    "Data",
    "Document",
    "Folds",
    "LabelledProcess",
    "LossTerm",
    "Node",
    "OtherFiles",
    "OtherWeights",
    "Path",
    "Pipeline",
    "Process",
    "Scale",
    "Schedule",
    "Search",
    "Sections",
    "Shifted",
    "SomeSystematic",
    "Study",
    "Task",
    "Train",
    "Value",
    "Yields",
    "architectures",
    "blame",
    "branches",
    "canonical",
    "check_analysis",
    "check_choices",
    "check_columns",
    "check_graph",
    "check_leaks",
    "choice",
    "choices",
    "condition",
    "count",
    "digest",
    "dirichlet",
    "dump_yaml",
    "load_sections",
    "load_study",
    "log_uniform",
    "loss",
    "made_with",
    "node",
    "one_minus_log_uniform",
    "options",
    "order",
    "parse_value",
    "raw_columns",
    "ref",
    "resolve",
    "sample_processes",
    "schedule",
    "schema",
    "simplex",
    "some_architectures",
    "supervisors",
    "to_data",
    "uniform",
    "validate_study",
    "variations",
    "walk",
    "weight_scan",
]


def __dir__() -> list[str]:
    return __all__
