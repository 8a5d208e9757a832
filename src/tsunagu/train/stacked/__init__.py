"""R modules of one shape that are run as one.

Their weights are the rows of one buffer ``[R, P]`` (:class:`Rows`), of which each module's parameters stay views, so every
module goes on working by itself. :func:`choose` decides how they are run together: by batched layers, by ``vmap``, or
one after the other.
"""

from tsunagu.train.stacked.backends import Forward, choose
from tsunagu.train.stacked.gradients import Gradients
from tsunagu.train.stacked.inputs import Inputs, Pick
from tsunagu.train.stacked.rows import Rows

__all__ = ["Forward", "Gradients", "Inputs", "Pick", "Rows", "choose"]


def __dir__() -> list[str]:
    return __all__
