"""All candidates of a pipeline as one module, whose paths share what they have in common.

:func:`build_supernet` and :func:`build_supergraph` put a switch where something is left to choose. Then
:func:`single_path` gives one candidate as a plain module, :func:`take` lets the supernet itself run it, :func:`mixture`
adds all options up, and :func:`paths` runs all candidates as a tree.

>>> from tsunagu.spec import choice, node
>>> net = build_supernet([node("Linear", 4, choice(8, 16, name="w")), node("Linear", choice(8, 16, name="w"), 1)], seed=1)
>>> single_path(net, {"w": "16"})
Sequential(
  (0): Linear(in_features=4, out_features=16, bias=True)
  (1): Linear(in_features=16, out_features=1, bias=True)
)
"""

from tsunagu.tasks.supernet.building import build_supergraph, build_supernet
from tsunagu.tasks.supernet.checks import check_supernet
from tsunagu.tasks.supernet.conditioned import path_alone
from tsunagu.tasks.supernet.overview import Overview, describe_space
from tsunagu.tasks.supernet.paths import paths
from tsunagu.tasks.supernet.switch import Switch, decisions, leaves_of, reached, take
from tsunagu.tasks.supernet.views import mixture, own_outputs, single_path

__all__ = [
    "Overview",
    "Switch",
    "build_supergraph",
    "build_supernet",
    "check_supernet",
    "decisions",
    "describe_space",
    "leaves_of",
    "mixture",
    "own_outputs",
    "path_alone",
    "paths",
    "reached",
    "single_path",
    "take",
]


def __dir__() -> list[str]:
    return __all__
