"""How several losses become one update: the sum, our own exact MGDA and GradNorm, and what TorchJD has.

>>> make_aggregator("mgda", {"normalisation": "loss+"})
Mgda(normalisation='loss+', features=False)
"""

from tsunagu.losses.aggregate.aggregator import (
    Aggregator,
    Combined,
    LooksBack,
    Moment,
    Reads,
    Seen,
    State,
    Sum,
)
from tsunagu.losses.aggregate.gradnorm import GradNorm
from tsunagu.losses.aggregate.mgda import Mgda
from tsunagu.losses.aggregate.min_norm import min_norm
from tsunagu.losses.aggregate.registry import (
    SUM,
    find_aggregator,
    known_aggregators,
    make_aggregator,
    register_aggregator,
)

__all__ = [
    "SUM",
    "Aggregator",
    "Combined",
    "GradNorm",
    "LooksBack",
    "Mgda",
    "Moment",
    "Reads",
    "Seen",
    "State",
    "Sum",
    "find_aggregator",
    "known_aggregators",
    "make_aggregator",
    "min_norm",
    "register_aggregator",
]


def __dir__() -> list[str]:
    return __all__
