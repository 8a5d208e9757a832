"""How the models of a population would be run, told before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence

from tsunagu.errors import TsunaguError
from tsunagu.train.frozen import freeze
from tsunagu.train.stepper import Stepper
from tsunagu.train.training import Training

__all__ = ["probe"]


def probe(members: Sequence[Training]) -> dict[str, tuple[str, ...]]:
    """How the models of a population would be run.

    One batch goes forward in every stage. The members are used up by it: their running statistics may have changed.

    Args:
        members: that can go in step, new ones.

    Returns:
        By task, for each member ``alone``, ``loop``, ``batched`` or ``vmap``.

    Raises:
        TsunaguError: a model fails on the batch.
    """
    first = members[0]
    index = first.split.train[: first.pipeline.train.batch_size].unsqueeze(0)
    found: dict[str, tuple[str, ...]] = {}
    for number, stages in enumerate(zip(*(member.stages for member in members), strict=True)):
        freeze(members, number, [index[0]])
        stepper = Stepper([member.member for member in members], stages, first.table)
        try:
            found |= stepper.probe(index, (0,) * len(members))
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            msg = f"{stages[0].name}: a batch of {index.shape[1]} events fails: {error}"
            raise TsunaguError(msg) from error
    return found
