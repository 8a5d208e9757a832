"""How events are split, by a hash of their number."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StrictBool, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from tsunagu.spec.model import Model

__all__ = ["Folds"]


class Folds(Model):
    """Folds by a hash of the event number: one for the test, one for validation, the rest for training.

    Args:
        k: how many there are; 3 or more.
        test: the fold that is read once, at the end of a trial.
        validation: the fold that early stopping and every choice look at.
        rotate: whether a study trains k times, so that every fold is the test fold once: test and validation move on by
            one fold each time. Every event is then scored by a model that has not seen it.

    >>> Folds(k=10).validation
    1
    >>> [(each.test, each.validation) for each in Folds(k=3, rotate=True).turns()]
    [(0, 1), (1, 2), (2, 0)]
    """

    k: Annotated[StrictInt, Field(ge=3)] = 5
    test: Annotated[StrictInt, Field(ge=0)] = 0
    validation: Annotated[StrictInt, Field(ge=0)] = 1
    rotate: StrictBool = False

    def turns(self) -> list[Folds]:
        """The folds of each training: one, or all k of a rotation."""
        steps = range(self.k) if self.rotate else range(1)
        return [
            Folds(k=self.k, test=(self.test + step) % self.k, validation=(self.validation + step) % self.k)
            for step in steps
        ]

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if max(self.test, self.validation) >= self.k:
            found = {"found": f"test {self.test} and validation {self.validation}", "k": self.k}
            raise PydanticCustomError(
                "value", "folds are numbered 0 to k - 1 with k = {k}, found {found}", found
            )
        if self.test == self.validation:
            found = {"found": self.test}
            raise PydanticCustomError(
                "value", "test and validation must be different folds, found {found} twice", found
            )
        return self
