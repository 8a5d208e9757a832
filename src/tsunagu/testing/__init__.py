"""What a part of one's own must fulfil, as functions that any test can call; they need no test framework.

>>> from tsunagu.search import Random, Space
>>> from tsunagu.spec import choice
>>> check_searcher_contract(Random(evaluations=3), Space({"lr": choice(0.1, 0.01)}))
"""

from tsunagu.testing.aggregators import check_aggregator_contract
from tsunagu.testing.losses import check_loss_contract
from tsunagu.testing.searchers import check_searcher_contract, made_up_answer

__all__ = ["check_aggregator_contract", "check_loss_contract", "check_searcher_contract", "made_up_answer"]


def __dir__() -> list[str]:
    return __all__
