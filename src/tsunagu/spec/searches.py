"""What a study file says of the search for an architecture."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, FiniteFloat, StrictInt, StrictStr, WithJsonSchema
from pydantic_core import PydanticCustomError

from tsunagu.spec.fields import AnyArgs, Name, PositiveInt
from tsunagu.spec.model import Model
from tsunagu.spec.nodes import Node

__all__ = ["AnySearch", "Search"]

STARTS = ("scratch", "inherit")


def _start(found: str) -> str:
    if found not in STARTS:
        context = {"found": repr(found)}
        raise PydanticCustomError("value", "expected scratch or inherit, found {found}", context)
    return found


Numbers = dict[StrictStr, FiniteFloat | dict[StrictStr, FiniteFloat]]
"""A number by condition, for a simplex a number by part."""
Start = Annotated[StrictStr, AfterValidator(_start), WithJsonSchema({"type": "string", "enum": list(STARTS)})]


class Search(Model):
    """How the choices that a study leaves open are decided, seed by seed, on the validation events.

    Args:
        key: of the searcher. ``Spos``, ``Asng``, ``Enas``, ``Darts`` and ``Gdas`` train one supernet, and what they choose
            is trained again; ``Grid``, ``Random``, ``Halving``, ``Evolution`` and ``Optuna`` train each candidate.
        args: settings of the searcher.
        epochs: passes over the training events in which the supernet's tasks are trained together; as ``train.epochs`` by
            default.
        pretrain_epochs: the same for each task of the supernet alone; as in ``train`` by default.
        start: how the chosen path of a supernet is trained again: from ``scratch``, or with the weights that it has there,
            to ``inherit``, without another pretraining.
        at: the values of conditions at which the paths of a supernet are compared, ``{one_minus_beta: 1e-4}``, or for a
            simplex ``{trade: {classify: 0.8, calibrate: 0.2}}``; the middle of the range of those that are not named.

    >>> Search(key="Asng", args={"delta0": 0.3}).start
    'scratch'
    """

    key: Name
    args: AnyArgs = {}
    epochs: PositiveInt | None = None
    pretrain_epochs: Annotated[StrictInt, Field(ge=0)] | None = None
    start: Start = "scratch"
    at: Numbers = {}

    @property
    def searcher(self) -> Node:
        """The searcher and its settings, without what is said of trainings."""
        return Node(self.key, self.args)


def _as_search(data: Any) -> Any:
    """A bare key is a searcher without settings, and a node one with them."""
    if isinstance(data, str):
        return {"key": data}
    return {"key": data.key, "args": data.args} if isinstance(data, Node) else data


AnySearch = Annotated[Search | None, BeforeValidator(_as_search, json_schema_input_type=str | Search | None)]
