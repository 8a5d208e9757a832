"""What a study file says of systematic uncertainties."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    StrictBool,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tsunagu.errors import did_you_mean
from tsunagu.spec.fields import Name, Number, PositiveFloat, Texts, one_or_many
from tsunagu.spec.model import Model

__all__ = [
    "AnySystematic",
    "OtherFiles",
    "OtherWeights",
    "Scale",
    "Shifted",
    "SomeSystematic",
    "Yields",
]

Concerned = Annotated[list[Name], Field(min_length=1)] | None


def _whose(data: Any) -> str:
    return "<mapping>" if isinstance(data, Mapping) else one_or_many(data)


FilesOf = Annotated[
    Annotated[Name, Tag("<one>")]
    | Annotated[list[Name], Field(min_length=1), Tag("<many>")]
    | Annotated[dict[Name, Texts], Field(min_length=1), Tag("<mapping>")],
    Discriminator(_whose),
]


class OtherWeights(Model):
    """Weights of the same events for one standard deviation up and down.

    Args:
        key: ``weights``.
        up: a column.
        down: a column; without, the change by ``up`` is mirrored.
        factor: whether the columns multiply the nominal weight, in place of standing for it.
        processes: that it concerns; all without.
    """

    key: Literal["weights"]
    up: Name
    down: Name | None = None
    factor: StrictBool = False
    processes: Concerned = None


class OtherFiles(Model):
    """Other files, such as of another generator; with the same columns.

    Args:
        key: ``files``.
        up: one name, a glob, or a list; with ``data.processes`` by process, such as ``{z: other/*.root}``.
        down: the same; without, the change by ``up`` is mirrored.
        keep_yields: whether each process is scaled to its nominal yield, so that only the shape changes.
        processes: that it concerns; all without, or those that have other files.
    """

    key: Literal["files"]
    up: FilesOf
    down: FilesOf | None = None
    keep_yields: StrictBool = False
    processes: Concerned = None


class Scale(Model):
    """Columns of the files, multiplied; what is made of them follows, such as an energy scale.

    Args:
        key: ``scale``.
        columns: of the files.
        up: the factor, such as 1.03.
        down: the factor; without, the change by ``up`` is mirrored.
        processes: that it concerns; all without.
    """

    key: Literal["scale"]
    columns: Texts
    up: PositiveFloat
    down: PositiveFloat | None = None
    processes: Concerned = None

    @model_validator(mode="after")
    def _changes(self) -> Self:
        _check_change(self.up, self.down)
        return self


def _importable(function: str) -> str:
    if re.fullmatch(r"[\w.]+:\w+", function) is None:
        found = {"found": repr(function)}
        raise PydanticCustomError("value", "expected package.module:name, found {found}", found)
    return function


class Shifted(Model):
    """A function of the columns of the files; what is made of them follows.

    Args:
        key: ``function``.
        function: where it is, as ``package.module:name``. It is called with a mapping of columns to arrays ``[E, ...]`` and a
            number, and gives the changed columns as such a mapping.
        columns: that it changes.
        reads: that it is given beside these.
        up: the number, such as 1.0.
        down: the number; without, the change by ``up`` is mirrored.
        processes: that it concerns; all without.
    """

    key: Literal["function"]
    function: Annotated[Name, AfterValidator(_importable)]
    columns: Texts
    reads: list[Name] = []
    up: Number = 1.0
    down: Number | None = -1.0
    processes: Concerned = None


class Yields(Model):
    """An uncertainty of how many events there are, and of nothing else.

    Args:
        key: ``norm``.
        up: the factor on the yield, such as 1.05.
        down: the factor; without, as far below 1 as ``up`` is above.
        processes: that it concerns; all without.
    """

    key: Literal["norm"]
    up: PositiveFloat
    down: PositiveFloat | None = None
    processes: Concerned = None

    @model_validator(mode="after")
    def _changes(self) -> Self:
        if self.down is None and self.up >= 2.0:
            found = {"found": self.up}
            raise PydanticCustomError(
                "value", "down must be given where up is 2 or more, found {found}", found
            )
        _check_change(self.up, self.down)
        return self

    @property
    def factors(self) -> tuple[float, float]:
        """Up and down."""
        return self.up, 2.0 - self.up if self.down is None else self.down


def _check_change(up: float, down: float | None) -> None:
    if 1.0 in (up, down):
        raise PydanticCustomError("value", "a factor of 1 changes nothing")


KINDS = {"weights": OtherWeights, "files": OtherFiles, "scale": Scale, "function": Shifted, "norm": Yields}


def _known(data: Any) -> Any:
    key = data.get("key") if isinstance(data, Mapping) else getattr(data, "key", None)
    if isinstance(data, Mapping | Model) and key not in KINDS:
        near = did_you_mean(str(key), KINDS) if key is not None else f"; it is one of {', '.join(KINDS)}"
        found = {"found": f"unknown key '{key}'{near}" if key is not None else f"key is missing{near}"}
        raise PydanticCustomError("value", "{found}", found)
    return data


def _tag(data: Any) -> str:
    return f"<{data.get('key') if isinstance(data, Mapping) else getattr(data, 'key', 'norm')}>"


SomeSystematic = OtherWeights | OtherFiles | Scale | Shifted | Yields
"""Any of them, for annotations."""
AnySystematic = Annotated[
    Annotated[OtherWeights, Tag("<weights>")]
    | Annotated[OtherFiles, Tag("<files>")]
    | Annotated[Scale, Tag("<scale>")]
    | Annotated[Shifted, Tag("<function>")]
    | Annotated[Yields, Tag("<norm>")],
    Discriminator(_tag),
    BeforeValidator(_known),
]
