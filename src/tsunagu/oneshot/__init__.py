"""Search with one training: a supernet that is trained under a searcher, and the architecture it comes to.

:class:`OneShot` is to a supernet what :class:`tsunagu.train.Training` is to one pipeline.
"""

from tsunagu.oneshot.choosing import MOST_JUDGED, Chosen
from tsunagu.oneshot.judging import Judge
from tsunagu.oneshot.strategy import strategy
from tsunagu.oneshot.training import OneShot

__all__ = ["MOST_JUDGED", "Chosen", "Judge", "OneShot", "strategy"]


def __dir__() -> list[str]:
    return __all__
