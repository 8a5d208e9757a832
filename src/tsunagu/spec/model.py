"""What all models of a study file have in common: they are frozen, and know no setting that is not declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tsunagu.errors import SpecError
from tsunagu.spec.messages import mistakes_of

__all__ = ["Model"]


class Model(BaseModel):
    """A frozen model; made in Python it raises all its mistakes at once."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    if not TYPE_CHECKING:

        def __init__(self, **fields: Any) -> None:
            try:
                super().__init__(**fields)
            except ValidationError as error:
                raise SpecError(mistakes_of(error, type(self))) from error

        # Tells pydantic that a model inside another is still validated by pydantic itself, so that the mistakes of
        # all of them are collected; only a model that is made in Python by itself ends here.
        __init__.__pydantic_base_init__ = True
