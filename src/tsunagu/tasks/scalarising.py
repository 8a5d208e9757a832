"""Which scalarisation a pipeline asks for, and which conditions it makes events share."""

from __future__ import annotations

from tsunagu.losses import LINEAR, Scalarisation, make_scalarisation
from tsunagu.spec import Condition, Pipeline

__all__ = ["scalarisation_of", "weights_of"]


def scalarisation_of(pipeline: Pipeline) -> Scalarisation | None:
    """What makes one number of several losses; None for their weighted sum. The pipeline has no choices."""
    node = pipeline.train.scalarise
    return None if node is None or node.key == LINEAR else make_scalarisation(node.key, node.args)


def weights_of(pipeline: Pipeline) -> frozenset[str]:
    """The names of the conditions that are weights of losses."""
    weights: list[object] = [term.weight for task in pipeline.tasks.values() for term in task.losses]
    return frozenset(weight.name for weight in weights if isinstance(weight, Condition))
